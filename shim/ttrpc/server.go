package ttrpc

import (
	"context"
	"os"
	"sync"
	"time"

	"github.com/dhow-containers/dhow/shim/socket"
	"github.com/dhow-containers/dhow/shim/wire"
)

// Method answers a call: it decodes the request from payload.
type Method func(ctx context.Context, payload []byte) (wire.Message, error)

// Server answers calls on a listening socket.
type Server struct {
	listener *os.File
	services map[string]map[string]Method
	calls    sync.WaitGroup // that are being answered
}

// NewServer makes a server on the listening socket fd, which it owns.
func NewServer(fd int) (*Server, error) {
	f, err := socket.File(fd, "listener")
	if err != nil {
		return nil, err
	}
	return &Server{listener: f, services: map[string]map[string]Method{}}, nil
}

// Remove removes the file of the socket: nobody new comes.
func (s *Server) Remove() { socket.Remove(s.listener) }

// Register adds a service by its full name. It must come before Serve.
func (s *Server) Register(service string, methods map[string]Method) { s.services[service] = methods }

// Serve accepts connections until Close is called.
func (s *Server) Serve() error {
	for {
		conn, err := socket.Accept(s.listener)
		if err != nil {
			return err
		}
		go s.serve(conn)
	}
}

// Close stops Serve. Calls that are being answered go on: see Drain.
func (s *Server) Close() { s.listener.Close() }

// Drain waits until all calls have been answered, at most for d.
func (s *Server) Drain(d time.Duration) {
	done := make(chan struct{})
	go func() { s.calls.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(d):
	}
}

// serve answers the calls of one connection. Their contexts end with it.
func (s *Server) serve(conn *os.File) {
	defer conn.Close()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	c := &serverConn{s: s, conn: conn}
	for {
		f, resync, err := readFrame(conn)
		switch {
		case err != nil && !resync:
			return
		case err != nil:
			c.answer(f.stream, nil, err)
		case f.kind != typeRequest:
			continue // data of a stream whose request was refused
		default:
			s.calls.Add(1)
			go c.handle(ctx, f)
		}
	}
}

type serverConn struct {
	s    *Server
	conn *os.File
	mu   sync.Mutex // one writer at a time
}

func (c *serverConn) handle(ctx context.Context, f frame) {
	defer c.s.calls.Done()
	var r request
	if err := wire.Unmarshal(f.payload, &r); err != nil {
		c.answer(f.stream, nil, Errorf(InvalidArgument, "cannot read a request: %v", err))
		return
	}
	method := c.s.services[r.service][r.method]
	if method == nil || f.flags&flagRemoteClosed == 0 && f.flags != 0 {
		c.answer(f.stream, nil, Errorf(Unimplemented, "no unary method %s of service %s", r.method, r.service))
		return
	}
	if r.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Duration(r.timeout))
		defer cancel()
	}
	m, err := method(ctx, r.payload)
	c.answer(f.stream, m, err)
}

// answer sends the response. When that fails the connection is done for, which serve notices.
func (c *serverConn) answer(stream uint32, m wire.Message, err error) {
	var r response
	if err != nil {
		r.status = statusOf(err)
	} else {
		r.payload = wire.Marshal(m)
	}
	f := frame{stream: stream, kind: typeResponse, payload: wire.Marshal(&r)}
	c.mu.Lock()
	defer c.mu.Unlock()
	_, _ = c.conn.Write(f.encode())
}
