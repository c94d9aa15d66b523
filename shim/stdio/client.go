package stdio

import (
	"encoding/binary"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// AttachOptions say what of a process a client wants.
type AttachOptions struct {
	Stdin, Stdout, Stderr bool
	DetachKeys            []byte // of a terminal; none: it cannot detach
	CloseStdin            bool   // the end of its input is that of the process's, unless that has a terminal
	Raw                   bool   // no frames, as with a terminal
	Begun                 []byte // input that was read from the connection already
}

// Client is a client that is attached, by a connection of its own.
type Client struct {
	hub  *hub
	conn *os.File
	o    AttachOptions

	mu       sync.Mutex
	change   sync.Cond
	queue    []byte // what it has yet to get
	spare    []byte
	ending   bool // it gets what is queued, and no more
	gone     bool // it is not there any more
	detached bool

	flushed chan struct{} // closed when it has all output
	inDone  chan struct{} // closed when nothing is read from it any more
}

// maxQueue is how much a client may be behind before it holds the process up. As much again is on its way.
const maxQueue = 512 << 10

// lingerLimit is how long a client whose connection has been shut down may take to close it.
const lingerLimit = 500 * time.Millisecond

// Attach serves a client on its connection, which it owns from now on, also when it fails.
func (s *Streams) Attach(conn *os.File, o AttachOptions) (*Client, error) {
	c := &Client{hub: s.hub, conn: conn, o: o, flushed: make(chan struct{}), inDone: make(chan struct{})}
	c.change.L = &c.mu
	if err := s.hub.add(c); err != nil {
		conn.Close()
		return nil, err
	}
	go c.write()
	go c.read()
	return c, nil
}

// Attachable says whether the shim serves these streams itself.
func (s *Streams) Attachable() bool { return s.hub != nil }

// Tell writes to the clients what no process has written: why theirs has not come about.
func (s *Streams) Tell(text string) {
	if s.hub == nil {
		return
	}
	for _, c := range s.hub.all() {
		c.send(stdout, []byte(text))
	}
}

// Wait waits until the client has got all output, or is gone, and says whether it has detached by its keys.
func (c *Client) Wait() (detached bool) {
	<-c.flushed
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.detached
}

// send queues output of stdout or stderr.
func (c *Client) send(fd int, b []byte) {
	if fd == stdout && !c.o.Stdout || fd == stderr && !c.o.Stderr {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(c.queue) >= maxQueue && !c.ending && !c.gone {
		c.change.Wait()
	}
	if c.ending || c.gone {
		return
	}
	if !c.hub.terminal && !c.o.Raw {
		c.queue = append(c.queue, byte(fd), 0, 0, 0)
		c.queue = binary.BigEndian.AppendUint32(c.queue, uint32(len(b)))
	}
	c.queue = append(c.queue, b...)
	c.change.Broadcast()
}

// finish lets the client go once it has what is queued.
func (c *Client) finish(detached bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.detached = c.detached || detached
	c.ending = true
	c.change.Broadcast()
}

// lose is for a client that does not take its output.
func (c *Client) lose() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.gone = true
	c.change.Broadcast()
}

// cut ends the connection at once. What the client has sent is taken, as its last output may be lost to it otherwise
// (ECONNRESET, unix(7)).
func (c *Client) cut() {
	c.lose()
	_ = control(c.conn, func(fd int) error {
		unix.Shutdown(fd, unix.SHUT_RDWR)
		buf := make([]byte, 4<<10)
		for range 256 { // more than a socket holds
			if n, err := unix.Read(fd, buf); n <= 0 || err != nil {
				return err
			}
		}
		return nil
	})
	c.conn.Close()
}

// write sends what is queued, to the end.
func (c *Client) write() {
	whole := true
	for {
		b := c.next()
		if len(b) == 0 {
			break
		}
		if _, err := c.conn.Write(b); err != nil {
			whole = false
			c.lose()
			break
		}
	}
	if whole {
		c.part()
	}
	close(c.flushed)
	if whole {
		<-c.inDone
	}
	c.cut()
	c.hub.remove(c)
}

// next waits for output; there is none at the end.
func (c *Client) next() []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(c.queue) == 0 && !c.ending && !c.gone {
		c.change.Wait()
	}
	if c.gone {
		return nil
	}
	b := c.queue
	c.queue, c.spare = c.spare[:0], b
	if cap(b) > chunkSize {
		c.spare = nil
	}
	c.change.Broadcast()
	return b
}

// part shuts the connection down for output and leaves the client some time to close it.
func (c *Client) part() {
	_ = control(c.conn, func(fd int) error { return unix.Shutdown(fd, unix.SHUT_WR) })
	_ = c.conn.SetReadDeadline(time.Now().Add(lingerLimit))
}
