package task

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/containerd/errdefs"
	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/shim/api"
	"github.com/dhow-containers/dhow/shim/logfile"
	"github.com/dhow-containers/dhow/shim/stdio"
	"github.com/dhow-containers/dhow/shim/task"
	"github.com/dhow-containers/dhow/shim/ttrpc"
	"github.com/dhow-containers/dhow/shim/wire"
)

// Create starts a shim and creates the container, whose init waits for Start. Nothing is left on an error.
func (m *Manager) Create(ctx context.Context, o CreateOptions) (*Task, error) {
	log, err := o.Log.options()
	if err != nil {
		return nil, err
	}
	if err := remove(o.Bundle, task.Files...); err != nil { // of its last run
		return nil, err
	}
	pid, err := m.fork(o.ID, o.Bundle)
	if err != nil {
		return nil, err
	}
	t, err := m.create(ctx, &o, pid, log)
	if err != nil {
		kill(pid)
		reap(pid)
		_, e := m.Clean(context.WithoutCancel(ctx), o.ID, o.Bundle)
		if e == nil {
			e = remove(o.Bundle, task.Files...)
		}
		if e != nil {
			m.o.Log.Warn("cannot clean up after a failed create", "container", o.ID, "error", e)
		}
		return nil, err
	}
	return t, nil
}

func (m *Manager) create(ctx context.Context, o *CreateOptions, shim int, log logfile.Options) (*Task, error) {
	t, err := m.connect(o.ID, o.Bundle)
	if err != nil {
		return nil, ended(o.Bundle, err)
	}
	t.shim = shim
	served := stdio.Served{Log: log, Stdin: o.Stdin, StdinOnce: o.StdinOnce}
	options := m.shimOptions()
	if o.Runtime != nil {
		options.Root = filepath.Join(options.Root, runtimesDir, o.Runtime.Name)
		options.BinaryName, options.BinaryArgs = o.Runtime.Path, o.Runtime.Args
	}
	options.IoUID, options.IoGID = uint32(o.IOUID), uint32(o.IOGID)
	r := &api.CreateRequest{ID: o.ID, Bundle: o.Bundle, Options: wire.Pack(api.OptionsType, options), Stdio: api.Stdio{Terminal: o.Terminal, Stdout: served.URI()}}
	for i := range o.Rootfs {
		r.Rootfs = append(r.Rootfs, &o.Rootfs[i])
	}
	var answer api.PidResponse
	if err := t.call(ctx, "Create", r, &answer); err != nil {
		t.conn.Close()
		if errdefs.IsUnavailable(err) {
			err = ended(o.Bundle, err)
		}
		return nil, err
	}
	t.pid.Store(int64(answer.Pid))
	go t.reapShim()
	return t, nil
}

// connect makes the connection to a shim.
func (m *Manager) connect(id, bundle string) (*Task, error) {
	conn, err := ttrpc.DialMux(filepath.Join(bundle, socketFile))
	if errors.Is(err, unix.ECONNREFUSED) || errors.Is(err, unix.ENOENT) {
		return nil, noShim(id)
	}
	if err != nil {
		return nil, err
	}
	t := &Task{m: m, bundle: bundle, conn: conn, shimGone: make(chan struct{})}
	t.initial.set(t, api.Target{ID: id})
	return t, nil
}

// ended is the error for a new shim that is not there any more.
func ended(bundle string, err error) error {
	return errdefs.ErrUnavailable.WithMessage(fmt.Sprintf("%v: %s", err, lastWords(bundle)))
}

// lastWords are the end of what a shim has written about what went wrong.
func lastWords(bundle string) string {
	f, err := os.Open(filepath.Join(bundle, logFile))
	if err != nil {
		return err.Error()
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, 64<<10))
	words := strings.TrimSpace(string(text))
	if err != nil || words == "" {
		return "it has not said why"
	}
	first, _, _ := strings.Cut(words, "\n\n") // of a crash of Go
	return first
}

func kill(pid int) { _ = unix.Kill(pid, unix.SIGKILL) }

// reap waits for the end of a child.
func reap(pid int) {
	for {
		if _, err := unix.Wait4(pid, nil, 0, nil); err != unix.EINTR {
			return
		}
	}
}

// endLimit is how long a shim may take to end when it was asked to.
const endLimit = 10 * time.Second
