package ttrpc

import (
	"context"
	"errors"
	"os"
	"sync"
	"time"

	"github.com/dhow-containers/dhow/shim/wire"
)

// Mux makes many calls at a time on one connection.
type Mux struct {
	conn *os.File
	done chan struct{} // closed when the connection is of no use any more

	writing sync.Mutex

	mu      sync.Mutex
	stream  uint32
	waiting map[uint32]chan *response // nil when done
}

// ErrClosed is the error of calls whose connection has ended.
var ErrClosed = errors.New("the connection has ended")

// DialMux connects to the socket at address, a path or a unix:// URL.
func DialMux(address string) (*Mux, error) {
	conn, err := dial(address)
	if err != nil {
		return nil, err
	}
	m := &Mux{conn: conn, done: make(chan struct{}), waiting: map[uint32]chan *response{}}
	go m.read()
	return m, nil
}

// Close hangs up.
func (m *Mux) Close() error { return m.conn.Close() }

// Done is closed when the connection has ended, from either side.
func (m *Mux) Done() <-chan struct{} { return m.done }

// Call makes a call and hands the answer to r, which may be nil. An *Error is the server's. A call whose ctx has ended goes
// on at the server, unless ctx has a deadline.
func (m *Mux) Call(ctx context.Context, service, method string, q wire.Message, r wire.Receiver) error {
	answer := make(chan *response, 1)
	stream := m.enter(answer)
	if stream == 0 {
		return ErrClosed
	}
	defer m.leave(stream)
	if err := m.send(ctx, stream, service, method, q); err != nil {
		return err
	}
	select {
	case got := <-answer:
		return got.take(r)
	case <-ctx.Done():
		return ctx.Err()
	case <-m.done:
	}
	select {
	case got := <-answer: // the last thing that came
		return got.take(r)
	default:
		return ErrClosed
	}
}

func (r *response) take(to wire.Receiver) error {
	if r.status != nil && r.status.Code != OK {
		return r.status
	}
	if to == nil {
		return nil
	}
	return wire.Unmarshal(r.payload, to)
}

// enter gives a call its number, which is odd for a client; 0 is none.
func (m *Mux) enter(answer chan *response) uint32 {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.waiting == nil {
		return 0
	}
	m.stream += 2
	m.waiting[m.stream-1] = answer
	return m.stream - 1
}

func (m *Mux) leave(stream uint32) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.waiting, stream)
}

func (m *Mux) send(ctx context.Context, stream uint32, service, method string, q wire.Message) error {
	r := &request{service: service, method: method, payload: wire.Marshal(q)}
	if end, ok := ctx.Deadline(); ok {
		r.timeout = max(int64(time.Until(end)), 1)
	}
	f := frame{stream: stream, kind: typeRequest, flags: flagRemoteClosed, payload: wire.Marshal(r)}
	m.writing.Lock()
	defer m.writing.Unlock()
	if _, err := m.conn.Write(f.encode()); err != nil {
		return ErrClosed
	}
	return nil
}

// read hands answers to those who wait for them.
func (m *Mux) read() {
	for {
		f, resync, err := readFrame(m.conn)
		if err != nil && !resync {
			break
		}
		answer := &response{}
		if err == nil {
			err = wire.Unmarshal(f.payload, answer)
		}
		if err != nil {
			answer.status = Errorf(Unknown, "cannot read the answer: %v", err)
		}
		m.mu.Lock()
		if c := m.waiting[f.stream]; c != nil {
			c <- answer
			delete(m.waiting, f.stream)
		}
		m.mu.Unlock()
	}
	m.mu.Lock()
	m.waiting = nil
	m.mu.Unlock()
	close(m.done)
	m.conn.Close()
}
