package dbus

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Conn is a connection. It is for one goroutine at a time.
type Conn struct {
	fd      int
	serial  uint32
	buf     []byte // received and not taken yet
	signals []Signal
	err     error // what broke the connection
}

// Error is the answer of a peer that refused a call.
type Error struct {
	Name, Message string
}

// Error returns the peer's message, or else the error's name.
func (e *Error) Error() string {
	if e.Message != "" {
		return e.Message
	}
	return e.Name
}

// IsError tells whether a peer answered with the error of that name.
func IsError(err error, name string) bool {
	var e *Error
	return errors.As(err, &e) && e.Name == name
}

// ErrTimeout is a peer that does not answer in time.
var ErrTimeout = errors.New("timed out")

// Dial connects to a socket given by its path, or by "@" and its name in the abstract name space, and
// authenticates as who the kernel says this process is. On a bus, Hello has to come next.
func Dial(path string, timeout time.Duration) (*Conn, error) {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("socket: %w", err)
	}
	c := &Conn{fd: fd}
	if err := c.connect(path, time.Now().Add(timeout)); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

func (c *Conn) connect(path string, deadline time.Time) error {
	// What is sent is small: it waits only for a peer that takes nothing at all.
	tv := unix.NsecToTimeval(int64(time.Until(deadline)))
	if err := unix.SetsockoptTimeval(c.fd, unix.SOL_SOCKET, unix.SO_SNDTIMEO, &tv); err != nil {
		return fmt.Errorf("setsockopt: %w", err)
	}
	err := again(func() error { return unix.Connect(c.fd, &unix.SockaddrUnix{Name: path}) })
	if err != nil && err != unix.EISCONN { // connected before the signal that made it try again
		return fmt.Errorf("connect to %s: %w", path, err)
	}
	if err := c.authenticate(deadline); err != nil {
		return fmt.Errorf("authenticate to %s: %w", path, err)
	}
	return nil
}

// authenticate does SASL's EXTERNAL without naming a user: the server takes the credentials of the
// socket. So it also works in a user namespace, where this process does not know who it is outside.
// Everything is sent at once, as the server needs no answer of ours to go on.
func (c *Conn) authenticate(deadline time.Time) error {
	if err := c.send([]byte("\x00AUTH EXTERNAL\r\nDATA\r\nBEGIN\r\n")); err != nil {
		return err
	}
	for _, want := range [2]string{"DATA", "OK"} {
		line, err := c.line(deadline)
		if err != nil {
			return err
		}
		if word, _, _ := strings.Cut(line, " "); word != want {
			return fmt.Errorf("refused: %q", line)
		}
	}
	return nil
}

// line takes a line of the authentication.
func (c *Conn) line(deadline time.Time) (string, error) {
	for {
		if line, rest, ok := strings.Cut(string(c.buf), "\r\n"); ok {
			c.buf = []byte(rest)
			return line, nil
		}
		if len(c.buf) > 4096 {
			return "", errMalformed
		}
		if err := c.receive(deadline); err != nil {
			return "", err
		}
	}
}

// Close ends the connection.
func (c *Conn) Close() { unix.Close(c.fd) }

// Method names what a call is for.
type Method struct {
	Destination, Path, Interface, Member string
}

// Send makes a call and does not want its answer.
func (c *Conn) Send(m Method, args ...Value) error {
	_, err := c.call(m, noReply, args)
	return err
}

// Call makes a call and returns the answer. Signals that come meanwhile are kept for Wait.
//
// Errors: *Error when the peer refuses; ErrTimeout.
func (c *Conn) Call(deadline time.Time, m Method, args ...Value) ([]Value, error) {
	serial, err := c.call(m, 0, args)
	if err != nil {
		return nil, err
	}
	for {
		msg, err := c.next(deadline)
		if err != nil {
			return nil, err
		}
		if to, ok := msg.fields[fieldReplySerial].V.(uint32); !ok || to != serial {
			continue
		}
		switch msg.kind {
		case methodReturn:
			return msg.body, nil
		case failure:
			e := &Error{Name: msg.fields[fieldErrorName].Text()}
			if len(msg.body) > 0 {
				e.Message = msg.body[0].Text()
			}
			return nil, e
		}
	}
}

func (c *Conn) call(m Method, flags byte, args []Value) (uint32, error) {
	c.serial++
	msg := &message{kind: methodCall, flags: flags, serial: c.serial, body: args}
	msg.fields[fieldPath] = Object(m.Path)
	msg.fields[fieldInterface] = String(m.Interface)
	msg.fields[fieldMember] = String(m.Member)
	msg.fields[fieldDestination] = String(m.Destination)
	data := msg.encode()
	if len(data) > maxMessage {
		return 0, fmt.Errorf("a message of %d bytes is too large", len(data))
	}
	return c.serial, c.send(data)
}

// Wait returns the first signal that wanted accepts, also one that came before; it drops all others.
func (c *Conn) Wait(deadline time.Time, wanted func(Signal) bool) (Signal, error) {
	for {
		for i, s := range c.signals {
			if wanted(s) {
				c.signals = c.signals[i+1:]
				return s, nil
			}
		}
		c.signals = nil
		if _, err := c.next(deadline); err != nil {
			return Signal{}, err
		}
	}
}

// maxSignals is how many signals are kept: a peer that floods this process loses the oldest.
const maxSignals = 1024

// next receives a message; signals are kept.
func (c *Conn) next(deadline time.Time) (*message, error) {
	data, err := c.take(deadline)
	if err != nil {
		return nil, err
	}
	m, err := decode(data)
	if err != nil {
		c.err = err
		return nil, err
	}
	if m.kind == signal {
		if c.signals = append(c.signals, m.signal()); len(c.signals) > maxSignals {
			c.signals = c.signals[1:]
		}
	}
	return m, nil
}

// take receives the bytes of one message.
func (c *Conn) take(deadline time.Time) ([]byte, error) {
	for {
		if c.err != nil {
			return nil, c.err
		}
		if len(c.buf) >= fixedHeader {
			header, body, err := size(c.buf)
			if err != nil {
				c.err = err
				return nil, err
			}
			if n := header + body; len(c.buf) >= n {
				data := c.buf[:n]
				c.buf = c.buf[n:]
				return data, nil
			}
		}
		if err := c.receive(deadline); err != nil {
			return nil, err
		}
	}
}

// errClosed is a peer that ended the connection.
var errClosed = errors.New("the other side closed the connection")

// receive waits for bytes and keeps them.
func (c *Conn) receive(deadline time.Time) error {
	if c.err != nil {
		return c.err
	}
	if err := c.await(deadline); err != nil {
		return err
	}
	chunk := make([]byte, 4096)
	n := 0
	err := again(func() (err error) {
		n, err = unix.Read(c.fd, chunk)
		return err
	})
	switch {
	case err != nil:
		c.err = fmt.Errorf("read: %w", err)
	case n == 0:
		c.err = errClosed
	}
	c.buf = append(c.buf, chunk[:max(n, 0)]...)
	return c.err
}

// await blocks until there is something to read.
func (c *Conn) await(deadline time.Time) error {
	set := []unix.PollFd{{Fd: int32(c.fd), Events: unix.POLLIN}}
	for {
		left := time.Until(deadline)
		if left <= 0 {
			return ErrTimeout
		}
		ts := unix.NsecToTimespec(left.Nanoseconds())
		n, err := unix.Ppoll(set, &ts, nil)
		if err != nil && err != unix.EINTR {
			return fmt.Errorf("poll: %w", err)
		}
		if n > 0 {
			return nil
		}
	}
}

// send writes all of data; a peer that is gone makes no SIGPIPE.
func (c *Conn) send(data []byte) error {
	for len(data) > 0 && c.err == nil {
		n := 0
		err := again(func() (err error) {
			n, err = unix.SendmsgN(c.fd, data, nil, nil, unix.MSG_NOSIGNAL)
			return err
		})
		switch err {
		case nil:
			data = data[n:]
		case unix.EAGAIN:
			c.err = ErrTimeout
		default:
			c.err = fmt.Errorf("send: %w", err)
		}
	}
	return c.err
}

// again repeats a system call that a signal interrupted.
func again(f func() error) error {
	for {
		if err := f(); err != unix.EINTR {
			return err
		}
	}
}
