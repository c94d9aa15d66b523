package network

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"sync"
	"time"
)

// idle is how long an exchange of datagrams is remembered without an answer, as conntrack(8) does by default.
const idle = 90 * time.Second

// relayPackets sends each client's datagrams to the container from a socket of its own, and the answers back.
func (h *holder) relayPackets() {
	buf := make([]byte, 64<<10)
	clients := sync.Map{} // netip.AddrPort → *net.UDPConn; an exchange that has ended takes itself off
	for {
		n, from, err := h.packets.ReadFromUDPAddrPort(buf)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			continue // an ICMP message about an earlier answer
		}
		c, known := clients.Load(from)
		if !known {
			s, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(h.binding.target))
			if err != nil {
				continue
			}
			if !h.keep(s) {
				s.Close()
				return
			}
			clients.Store(from, s)
			go h.answer(s, from, &clients)
			c = s
		}
		c.(*net.UDPConn).SetReadDeadline(time.Now().Add(idle))
		c.(*net.UDPConn).Write(buf[:n])
	}
}

// answer sends what the container sends to one client, until nothing has come for a while.
func (h *holder) answer(c *net.UDPConn, client netip.AddrPort, clients *sync.Map) {
	defer h.forget(c)
	defer clients.Delete(client)
	buf := make([]byte, 64<<10)
	for {
		n, err := c.Read(buf)
		if errors.Is(err, net.ErrClosed) || errors.Is(err, os.ErrDeadlineExceeded) {
			return
		}
		if err == nil {
			h.packets.WriteToUDPAddrPort(buf[:n], client)
		}
	}
}
