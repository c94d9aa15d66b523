package container

import (
	"bufio"
	"cmp"
	"context"
	"encoding/binary"
	"io"
	"path/filepath"

	"github.com/containerd/errdefs"
	"github.com/dhow-containers/dhow/higher/api"
	"github.com/dhow-containers/dhow/higher/log"
)

// errUnreadable says that a container's output is not kept where it could be read.
var errUnreadable = api.Errorf(errdefs.ErrNotImplemented, "configured logging driver does not support reading")

// logFile is where the shim logs the output; "" for nowhere.
func (c *container) logFile() string {
	switch c.record().HostConfig.LogConfig.Type {
	case "json-file", "":
		return c.file(c.id + "-json.log")
	case "local":
		return filepath.Join(c.dir(), "local-logs", "container.log")
	default:
		return ""
	}
}

// ContainerLogs sends what was logged; with Follow also what is yet to come, until the container has ended.
func (m *Manager) ContainerLogs(ctx context.Context, name string, o api.LogsOptions, s api.Streams) error {
	c, err := m.get(name)
	if err != nil {
		return err
	}
	r := c.record()
	switch {
	case r.Phase == Removing || r.Phase == Dead:
		return conflictf("can not get logs from container which is dead or marked for removal")
	case r.LogPath == "":
		return errUnreadable
	}
	out, err := s.Hijack(!r.Config.Tty)
	if err != nil {
		return err
	}
	return c.sendLogs(ctx, o, out)
}

func (c *container) sendLogs(ctx context.Context, o api.LogsOptions, out io.Writer) error {
	r := c.record()
	if r.LogPath == "" {
		return errUnreadable
	}
	c.mu.Lock()
	run := c.run
	c.mu.Unlock()
	var ended chan struct{}
	if run != nil {
		ended = run.ended
	}
	to := log.Options{
		Since: o.Since, Until: o.Until, Tail: o.Tail, Follow: o.Follow && run != nil,
		Stdout: o.Stdout, Stderr: o.Stderr, Timestamps: o.Timestamps, Details: o.Details,
	}
	collected := bufio.NewWriterSize(out, logBatch)
	to.Idle = collected.Flush
	emit := func(l log.Line) error { return writeFrame(collected, l) }
	if r.Config.Tty || api.IsRaw(out) {
		emit = func(l log.Line) error { _, err := collected.Write(l.Text); return err }
	}
	err := log.Read(ctx, log.Config{Driver: r.HostConfig.LogConfig.Type, Path: r.LogPath}, to, ended, emit)
	return cmp.Or(err, collected.Flush())
}

// logBatch is how much of a log is sent at once, if there is as much: a client gets each line in a frame of its own, as Docker's clients
// expect, but many frames with one write.
const logBatch = 32 << 10

// writeFrame writes a line as stdcopy does: the stream, the length, the text.
func writeFrame(out *bufio.Writer, l log.Line) error {
	stream := byte(1)
	if l.Stream == "stderr" {
		stream = 2
	}
	if _, err := out.Write(appendFrameHead(out.AvailableBuffer(), stream, len(l.Text))); err != nil {
		return err
	}
	_, err := out.Write(l.Text)
	return err
}

// appendFrameHead begins a frame of output: the stream, and how long the text is.
func appendFrameHead(b []byte, stream byte, length int) []byte {
	return binary.BigEndian.AppendUint32(append(b, stream, 0, 0, 0), uint32(length))
}
