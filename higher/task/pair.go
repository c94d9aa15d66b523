package task

import (
	"bytes"
	"io"
	"net"
	"os"

	"golang.org/x/sys/unix"
)

// pair is a pair of sockets for a client whose connection the shim cannot serve: TLS, a web socket. The shim has one end.
type pair struct {
	client       io.ReadWriteCloser
	begun        []byte // what was read ahead of it
	ours, theirs *net.UnixConn
	sent         chan struct{} // closed when the client has all output
}

func newPair(client io.ReadWriteCloser, begun []byte) (*pair, error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, os.NewSyscallError("socketpair", err)
	}
	p := &pair{client: client, begun: begun, sent: make(chan struct{})}
	for i, end := range []**net.UnixConn{&p.ours, &p.theirs} {
		f := os.NewFile(uintptr(fds[i]), "socketpair")
		conn, e := net.FileConn(f)
		f.Close()
		if e != nil {
			err = e
			continue
		}
		*end = conn.(*net.UnixConn)
	}
	if err != nil {
		p.close()
		return nil, err
	}
	return p, nil
}

func (p *pair) close() {
	for _, c := range []*net.UnixConn{p.ours, p.theirs} {
		if c != nil {
			c.Close()
		}
	}
}

// start copies both ways, until either has ended.
func (p *pair) start() {
	go func() {
		_, _ = io.Copy(p.ours, io.MultiReader(bytes.NewReader(p.begun), p.client)) // the client going away is its end
		_ = p.ours.CloseWrite()
	}()
	go func() {
		defer close(p.sent)
		_, _ = io.Copy(p.client, p.ours)
		if half, ok := p.client.(interface{ CloseWrite() error }); ok {
			_ = half.CloseWrite()
		}
		p.ours.Close()
	}()
}

// finish waits until the client has got what the shim has sent.
func (p *pair) finish() { <-p.sent }
