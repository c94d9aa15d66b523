package netdev

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"syscall"

	"golang.org/x/sys/unix"
)

// conn is a socket to the routing part of the kernel (rtnetlink(7)), in the network namespace in which it was made.
type conn struct {
	fd  int
	seq uint32
}

// dial makes a socket in the calling thread's network namespace.
func dial() (*conn, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_ROUTE)
	if err != nil {
		return nil, fmt.Errorf("cannot talk to the kernel's network: socket: %w", err)
	}
	// With these, an error comes with the kernel's own words for it, and nothing of the request.
	for _, option := range [...]int{unix.NETLINK_EXT_ACK, unix.NETLINK_CAP_ACK} {
		if err := unix.SetsockoptInt(fd, unix.SOL_NETLINK, option, 1); err != nil {
			unix.Close(fd)
			return nil, fmt.Errorf("cannot talk to the kernel's network: setsockopt: %w", err)
		}
	}
	return &conn{fd: fd}, nil
}

func (c *conn) close() { unix.Close(c.fd) }

// do sends a request and returns the bodies of its answers.
func (c *conn) do(kind uint16, flags uint16, body []byte) ([][]byte, error) {
	c.seq++
	msg := make([]byte, unix.SizeofNlMsghdr, unix.SizeofNlMsghdr+len(body))
	binary.NativeEndian.PutUint32(msg, uint32(cap(msg)))
	binary.NativeEndian.PutUint16(msg[4:], kind)
	binary.NativeEndian.PutUint16(msg[6:], flags|unix.NLM_F_REQUEST)
	binary.NativeEndian.PutUint32(msg[8:], c.seq)
	if err := unix.Sendto(c.fd, append(msg, body...), 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return nil, fmt.Errorf("send: %w", err)
	}
	return c.answers()
}

// errInterrupted is the end of a dump during which the list has changed (NLM_F_DUMP_INTR in netlink(7)): it may lack entries.
var errInterrupted = errors.New("the list has changed while it was read")

// dumpTries bounds how often a dump is repeated that was interrupted.
const dumpTries = 16

// dump is do for a request that lists.
func (c *conn) dump(kind uint16, body []byte) (bodies [][]byte, err error) {
	return untilWhole(func() ([][]byte, error) { return c.do(kind, unix.NLM_F_DUMP, body) })
}

func untilWhole(list func() ([][]byte, error)) (bodies [][]byte, err error) {
	for range dumpTries {
		if bodies, err = list(); !errors.Is(err, errInterrupted) {
			break
		}
	}
	return bodies, err
}

// answers reads until the kernel says that it was the last one: an acknowledgement, or the end of a dump.
func (c *conn) answers() ([][]byte, error) {
	got := answer{seq: c.seq}
	buf := make([]byte, 64<<10)
	for {
		n, from, err := unix.Recvfrom(c.fd, buf, 0)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("receive: %w", err)
		}
		if sender, ok := from.(*unix.SockaddrNetlink); !ok || sender.Pid != 0 { // root of a namespace can send here too
			continue
		}
		msgs, err := syscall.ParseNetlinkMessage(buf[:n])
		if err != nil {
			return nil, fmt.Errorf("internal error: an answer of netlink cannot be read: %w", err)
		}
		for i := range msgs {
			if last, err := got.add(&msgs[i]); last {
				return got.bodies, err
			}
		}
	}
}

// answer is what has come in reply to one request.
type answer struct {
	seq         uint32
	bodies      [][]byte
	interrupted bool
}

// add takes one more message. The error counts if it is the last.
func (a *answer) add(m *syscall.NetlinkMessage) (last bool, err error) {
	if m.Header.Seq != a.seq {
		return false, nil
	}
	a.interrupted = a.interrupted || m.Header.Flags&unix.NLM_F_DUMP_INTR != 0
	switch m.Header.Type {
	case unix.NLMSG_ERROR:
		return true, answerError(m)
	case unix.NLMSG_DONE:
		if len(m.Data) >= 4 { // the errno of a dump that was broken off
			err = answerError(m)
		}
		if err == nil && a.interrupted {
			err = errInterrupted
		}
		return true, err
	}
	a.bodies = append(a.bodies, bytes.Clone(m.Data))
	return false, nil
}

// answerError reads a struct nlmsgerr, or the number alone; nil for an acknowledgement.
func answerError(m *syscall.NetlinkMessage) error {
	const size = 4 + unix.SizeofNlMsghdr
	if len(m.Data) < 4 {
		return errors.New("internal error: netlink sends half an error")
	}
	errno := unix.Errno(-int32(binary.NativeEndian.Uint32(m.Data)))
	if errno == 0 {
		return nil
	}
	if m.Header.Flags&unix.NLM_F_ACK_TLVS != 0 && len(m.Data) > size {
		if text, ok := attributes(m.Data[size:])[unix.NLMSGERR_ATTR_MSG]; ok {
			return fmt.Errorf("%w (%s)", errno, bytes.TrimRight(text, "\x00"))
		}
	}
	return errno
}

// attributes reads a list of struct rtattr; of two of a type the last counts.
func attributes(b []byte) map[uint16][]byte {
	list := map[uint16][]byte{}
	for len(b) >= unix.SizeofRtAttr {
		size := int(binary.NativeEndian.Uint16(b))
		if size < unix.SizeofRtAttr || size > len(b) {
			break
		}
		list[binary.NativeEndian.Uint16(b[2:])&^(unix.NLA_F_NESTED|unix.NLA_F_NET_BYTEORDER)] = b[unix.SizeofRtAttr:size]
		b = b[min(align(size), len(b)):]
	}
	return list
}

// attribute appends a struct rtattr to a message.
func attribute(msg []byte, kind uint16, value []byte) []byte {
	msg = binary.NativeEndian.AppendUint16(msg, uint16(unix.SizeofRtAttr+len(value)))
	msg = append(binary.NativeEndian.AppendUint16(msg, kind), value...)
	return append(msg, make([]byte, align(len(value))-len(value))...)
}

func number(v uint32) []byte { return binary.NativeEndian.AppendUint32(nil, v) }

func text(s string) []byte { return append([]byte(s), 0) }

func align(n int) int { return (n + unix.RTA_ALIGNTO - 1) &^ (unix.RTA_ALIGNTO - 1) }
