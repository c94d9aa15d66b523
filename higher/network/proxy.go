package network

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"time"

	types "github.com/moby/moby/api/types/network"
	"golang.org/x/sys/unix"
)

// A holder keeps a port of the host taken, by a socket that is bound to it, and serves what comes in there: the table
// sends to the container whatever it can, so this is only what is sent to ::1, or to an IPv6 address when the container
// has none, or anything with --iptables=false.
type holder struct {
	binding  binding
	listener *net.TCPListener
	packets  *net.UDPConn
	other    *os.File // neither TCP nor UDP
	mu       sync.Mutex
	conns    map[io.Closer]bool
	closed   bool
}

// hold binds the host's side of b.
func hold(b binding) (*holder, error) {
	h := &holder{binding: b, conns: map[io.Closer]bool{}}
	family := "4"
	if b.host.Addr().Is6() {
		family = "6"
	}
	var config net.ListenConfig
	config.SetMultipathTCP(false)
	switch b.container.Proto() {
	case types.UDP:
		c, err := config.ListenPacket(context.Background(), "udp"+family, b.host.String())
		if err != nil {
			return nil, err
		}
		h.packets = c.(*net.UDPConn)
	case types.SCTP:
		return h, h.holdSCTP()
	default:
		l, err := config.Listen(context.Background(), "tcp"+family, b.host.String())
		if err != nil {
			return nil, err
		}
		h.listener = l.(*net.TCPListener)
	}
	return h, nil
}

// holdSCTP binds a socket of sctp(7); on a kernel without, nobody else can take the port either.
func (h *holder) holdSCTP() error {
	family, addr := unix.AF_INET, unix.Sockaddr(&unix.SockaddrInet4{Port: int(h.binding.host.Port()), Addr: as4(h.binding)})
	if h.binding.host.Addr().Is6() {
		family, addr = unix.AF_INET6, &unix.SockaddrInet6{Port: int(h.binding.host.Port()), Addr: h.binding.host.Addr().As16()}
	}
	fd, err := unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, unix.IPPROTO_SCTP)
	if errors.Is(err, unix.EPROTONOSUPPORT) || errors.Is(err, unix.ESOCKTNOSUPPORT) {
		return nil
	}
	if err != nil {
		return os.NewSyscallError("socket", err)
	}
	h.other = os.NewFile(uintptr(fd), "sctp")
	if family == unix.AF_INET6 {
		unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, 1)
	}
	if err := unix.Bind(fd, addr); err != nil {
		h.other.Close()
		return os.NewSyscallError("bind", err)
	}
	return nil
}

func as4(b binding) [4]byte {
	if b.host.Addr().Is4() {
		return b.host.Addr().As4()
	}
	return [4]byte{}
}

// pause is how long to wait when a connection cannot be accepted.
const pause = 10 * time.Millisecond

// serve answers what comes in; without a proxy it is refused.
func (h *holder) serve(proxy bool) {
	if h.listener != nil {
		go h.acceptAll(proxy)
	}
	if h.packets != nil && proxy {
		go h.relayPackets()
	}
}

func (h *holder) acceptAll(proxy bool) {
	for {
		c, err := h.listener.AcceptTCP()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			<-time.After(pause) // no descriptors are left: there is no event to wait for
			continue
		}
		if !proxy || !h.keep(c) {
			c.Close()
			continue
		}
		go h.relay(c)
	}
}

// keep has a connection closed with the holder.
func (h *holder) keep(c io.Closer) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.closed {
		h.conns[c] = true
	}
	return !h.closed
}

func (h *holder) forget(c io.Closer) {
	h.mu.Lock()
	delete(h.conns, c)
	h.mu.Unlock()
	c.Close()
}

// relay connects a client with the container; each side may end first.
func (h *holder) relay(client *net.TCPConn) {
	defer h.forget(client)
	server, err := net.DialTCP("tcp", nil, net.TCPAddrFromAddrPort(h.binding.target))
	if err != nil {
		client.SetLinger(0) // refused here, too
		return
	}
	if !h.keep(server) {
		server.Close()
		return
	}
	defer h.forget(server)
	back := make(chan struct{})
	go func() {
		defer close(back)
		io.Copy(client, server)
		client.CloseWrite()
	}()
	io.Copy(server, client)
	server.CloseWrite()
	<-back
}

// Close gives the port back and ends what goes through it.
func (h *holder) Close() {
	h.mu.Lock()
	h.closed = true
	for c := range h.conns {
		c.Close()
	}
	h.mu.Unlock()
	if h.listener != nil {
		h.listener.Close()
	}
	if h.packets != nil {
		h.packets.Close()
	}
	if h.other != nil {
		h.other.Close()
	}
}
