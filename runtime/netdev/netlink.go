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

// answers reads until the kernel says that it was the last one: an acknowledgement, or the end of a dump.
func (c *conn) answers() (bodies [][]byte, err error) {
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
			switch m := &msgs[i]; {
			case m.Header.Seq != c.seq:
			case m.Header.Type == unix.NLMSG_ERROR:
				return bodies, answerError(m)
			case m.Header.Type == unix.NLMSG_DONE:
				return bodies, nil
			default:
				bodies = append(bodies, bytes.Clone(m.Data))
			}
		}
	}
}

// answerError reads a struct nlmsgerr; nil for an acknowledgement.
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
