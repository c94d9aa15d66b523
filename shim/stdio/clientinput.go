package stdio

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// read copies the client's input to the process, until one of the two has ended, and then waits until the client is
// gone.
func (c *Client) read() {
	defer close(c.inDone)
	raw, err := c.conn.SyscallConn()
	if err != nil {
		return
	}
	if c.o.Stdin && c.hub.served.Stdin {
		c.feed(raw)
		c.ended()
	}
	c.awaitHangUp(raw)
}

// ended is what the end of the client's input means.
func (c *Client) ended() {
	if (c.o.CloseStdin || c.hub.served.StdinOnce) && !c.hub.terminal {
		c.hub.endInput()
		return
	}
	c.finish(false)
}

// feed copies input.
func (c *Client) feed(raw syscall.RawConn) {
	select {
	case <-c.hub.ready:
	case <-c.flushed:
		return
	}
	keys := detacher{keys: c.o.DetachKeys}
	if !c.hub.terminal {
		keys.keys = nil
	}
	open := true
	take := func(b []byte) {
		rest, detach := keys.scan(b)
		open = c.give(rest) && !detach
		if detach {
			c.finish(true)
		}
	}
	if len(c.o.Begun) > 0 {
		take(c.o.Begun)
		c.o.Begun = nil
	}
	for open {
		if receive(raw, nil, take) != nil {
			return
		}
	}
	for receive(raw, nil, func([]byte) {}) == nil { // nobody reads it, and yet the client must not stand still
	}
}

// give writes to the process, and says whether it takes input.
func (c *Client) give(b []byte) bool {
	if len(b) == 0 {
		return true
	}
	to := c.hub.input()
	if to == nil {
		return false
	}
	_, err := to.Write(b)
	return err == nil
}

// awaitHangUp waits until the connection is of no use in either direction.
func (c *Client) awaitHangUp(raw syscall.RawConn) {
	hungUp := false
	err := raw.Read(func(fd uintptr) bool {
		poll := []unix.PollFd{{Fd: int32(fd)}}
		n, err := unix.Poll(poll, 0)
		hungUp = n > 0 && err == nil
		return hungUp
	})
	if err == nil && hungUp {
		c.lose()
	}
}
