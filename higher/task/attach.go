package task

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"syscall"

	"github.com/containerd/errdefs"
	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/shim/api"
	"github.com/dhow-containers/dhow/shim/socket"
	"github.com/dhow-containers/dhow/shim/ttrpc"
	"github.com/dhow-containers/dhow/shim/wire"
)

// Attachment is a client that the shim serves.
type Attachment struct {
	done     chan struct{} // closed at the end
	detached bool
	failed   error
}

// Wait returns when the client has detached by its keys, or is gone, or has got all output of a process that has ended.
func (a *Attachment) Wait(ctx context.Context) (detached bool, err error) {
	select {
	case <-a.done:
		return a.detached, a.failed
	case <-ctx.Done():
		return false, ctx.Err()
	}
}

// Attach hands a client's connection to the shim, also before Start; when it returns, the client gets all that the process
// writes. The caller closes conn once the attachment has ended, or Attach has failed.
//
// The shim serves a TCP or unix connection itself, also when the daemon goes away. The bytes of any other pass through this
// process. A connection that may have been read ahead of has a method Socket() (net.Conn, []byte), which takes what was read.
func (p *Process) Attach(ctx context.Context, o AttachOptions, conn io.ReadWriteCloser) (*Attachment, error) {
	keys, err := ParseDetachKeys(o.DetachKeys)
	if err != nil {
		return nil, err
	}
	r := &api.AttachRequest{Target: p.target, Stdin: o.Stdin, Stdout: o.Stdout, Stderr: o.Stderr, DetachKeys: keys,
		CloseStdin: o.CloseStdin, Raw: o.Raw}
	var client any = conn
	if c, ok := conn.(interface{ Socket() (net.Conn, []byte) }); ok {
		client, r.Begun = c.Socket()
	}
	if passable(client) {
		return p.hand(ctx, r, client.(syscall.Conn), nil)
	}
	pair, err := newPair(conn, r.Begun)
	if err != nil {
		return nil, err
	}
	defer pair.theirs.Close()
	r.Begun = nil
	a, err := p.hand(ctx, r, pair.theirs, pair.finish)
	if err != nil {
		pair.ours.Close()
		return nil, err
	}
	pair.start()
	return a, nil
}

// passable says whether a connection is a socket that another process can use.
func passable(client any) bool {
	switch client.(type) {
	case *net.UnixConn, *net.TCPConn:
		return true
	}
	return false
}

// hand sends the request with the connection, and waits for the answer. finish, if any, is called at the end.
func (p *Process) hand(ctx context.Context, r *api.AttachRequest, conn syscall.Conn, finish func()) (*Attachment, error) {
	fd, err := socket.Dial(filepath.Join(p.task.bundle, api.StreamsSocket), unix.SOCK_SEQPACKET)
	if err != nil {
		return nil, errdefs.ErrUnavailable.WithMessage("cannot attach to container " + p.target.ID + ": " + err.Error())
	}
	door, err := socket.File(fd, api.StreamsSocket)
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { door.Close() })
	err = send(door, r, conn)
	if err == nil {
		_, err = hear(door)
	}
	if !stop() {
		err = ctx.Err()
	}
	if err != nil {
		door.Close()
		return nil, err
	}
	a := &Attachment{done: make(chan struct{})}
	go a.follow(door, finish)
	return a, nil
}

func send(door *os.File, r *api.AttachRequest, conn syscall.Conn) error {
	raw, err := conn.SyscallConn()
	if err != nil {
		return err
	}
	var sent error
	err = raw.Control(func(fd uintptr) { sent = socket.Send(door, wire.Marshal(r), int(fd)) })
	return errors.Join(err, sent)
}

// hear waits for an answer of the shim.
func hear(door *os.File) (*api.AttachAnswer, error) {
	message, fd, err := socket.Receive(door)
	if err != nil {
		return nil, errdefs.ErrUnavailable.WithMessage("the shim is gone: " + err.Error())
	}
	if fd >= 0 {
		unix.Close(fd)
	}
	var a api.AttachAnswer
	if err := wire.Unmarshal(message, &a); err != nil {
		return nil, err
	}
	if a.Code != 0 {
		return nil, classed(ttrpc.Code(a.Code), a.Message)
	}
	return &a, nil
}

func (a *Attachment) follow(door *os.File, finish func()) {
	defer close(a.done)
	defer door.Close()
	answer, err := hear(door)
	if finish != nil {
		finish()
	}
	if err != nil {
		a.failed = err
		return
	}
	a.detached = answer.Detached
}
