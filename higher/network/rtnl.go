package network

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"sync"
	"syscall"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// rtnl is a routing socket, see rtnetlink(7). It sends any number of requests in one system call, which the kernel works
// off in turn before that call returns.
type rtnl struct {
	mu  sync.Mutex
	fd  int
	seq uint32
	buf []byte
}

// openRTNL opens a socket in the network namespace of the calling thread.
func openRTNL() (*rtnl, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_ROUTE)
	if err != nil {
		return nil, fmt.Errorf("cannot open a routing socket: %w", err)
	}
	// The kernel's own words come with an errno.
	unix.SetsockoptInt(fd, unix.SOL_NETLINK, unix.NETLINK_EXT_ACK, 1)
	unix.SetsockoptInt(fd, unix.SOL_NETLINK, unix.NETLINK_CAP_ACK, 1)
	return &rtnl{fd: fd, buf: make([]byte, 32<<10)}, nil
}

func (c *rtnl) Close() error { return unix.Close(c.fd) }

// A request is a message and what it is for, completing the sentence "cannot …".
type request struct {
	*nl.NetlinkRequest
	doing    string
	tolerate unix.Errno // not an error, as for something that is there, or gone
}

func newRequest(doing string, message, flags int) request {
	return request{NetlinkRequest: nl.NewNetlinkRequest(message, flags|unix.NLM_F_ACK), doing: doing}
}

// batch is how many requests go together: their answers must fit the socket's buffer.
const batch = 64

// do sends requests and returns the messages other than acknowledgements that came back. An error of one does not keep
// the kernel from the others; the errors of all are returned.
func (c *rtnl) do(requests ...request) ([]syscall.NetlinkMessage, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var answers []syscall.NetlinkMessage
	var all error
	for len(requests) > 0 {
		n := min(len(requests), batch)
		got, err := c.exchange(requests[:n])
		answers, all = append(answers, got...), errors.Join(all, err)
		requests = requests[n:]
	}
	return answers, all
}

func (c *rtnl) exchange(requests []request) ([]syscall.NetlinkMessage, error) {
	var out []byte
	first := c.seq + 1
	for _, r := range requests {
		c.seq++
		r.Seq = c.seq
		out = append(out, r.Serialize()...)
	}
	if err := unix.Sendto(c.fd, out, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return nil, fmt.Errorf("cannot %s: %w", requests[0].doing, os.NewSyscallError("sendto", err))
	}
	var answers []syscall.NetlinkMessage
	var all error
	for pending := len(requests); pending > 0; {
		n, _, err := unix.Recvfrom(c.fd, c.buf, 0)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return answers, os.NewSyscallError("recvfrom", err)
		}
		messages, err := syscall.ParseNetlinkMessage(c.buf[:n])
		if err != nil {
			return answers, fmt.Errorf("internal error: cannot read a routing message: %w", err)
		}
		for _, m := range messages {
			i := m.Header.Seq - first
			if i >= uint32(len(requests)) {
				continue // of an exchange that was given up
			}
			if m.Header.Type != unix.NLMSG_ERROR {
				m.Data = append([]byte(nil), m.Data...)
				answers = append(answers, m)
				continue
			}
			pending--
			all = errors.Join(all, requests[i].failure(m))
		}
	}
	return answers, all
}

// failure is what an acknowledgement says.
func (r request) failure(m syscall.NetlinkMessage) error {
	errno := unix.Errno(-int32(binary.NativeEndian.Uint32(m.Data)))
	if errno == 0 || errno == r.tolerate {
		return nil
	}
	if text := extendedAck(m); text != "" {
		return fmt.Errorf("cannot %s: %w (%s)", r.doing, errno, text)
	}
	return fmt.Errorf("cannot %s: %w", r.doing, errno)
}

// extendedAck is the kernel's sentence behind an errno, NLMSGERR_ATTR_MSG of linux/netlink.h.
func extendedAck(m syscall.NetlinkMessage) string {
	const header = 4 + unix.SizeofNlMsghdr
	if m.Header.Flags&unix.NLM_F_ACK_TLVS == 0 || len(m.Data) < header {
		return ""
	}
	attrs, err := nl.ParseRouteAttr(m.Data[header:])
	if err != nil {
		return ""
	}
	for _, a := range attrs {
		if a.Attr.Type == unix.NLMSGERR_ATTR_MSG && len(a.Value) > 0 {
			return string(a.Value[:len(a.Value)-1])
		}
	}
	return ""
}
