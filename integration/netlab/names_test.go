package netlab

import (
	"context"
	"errors"
	"net"
	"strings"

	"github.com/vishvananda/netlink"
	"golang.org/x/net/dns/dnsmessage"
)

// resolver asks 127.0.0.11 in a namespace.
type resolver struct {
	*space
	*net.Resolver
}

func (s *space) resolver(proto string) resolver {
	return resolver{s, &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (c net.Conn, err error) {
		failed := s.in(func() error {
			c, err = net.DialTimeout(proto, "127.0.0.11:53", patience)
			return err
		})
		return c, failed
	}}}
}

func (r resolver) reverse(address string) ([]string, error) {
	return r.LookupAddr(context.Background(), address)
}

// resolves wants an address, "no such host", or "error" for any other.
func (w *world) resolves(from interface{ resolver(string) resolver }, proto, name, want string) {
	w.Helper()
	got, err := from.resolver(proto).LookupHost(context.Background(), name+".")
	var e *net.DNSError
	switch {
	case err == nil:
		if len(got) != 1 || got[0] != want {
			w.Errorf("%s by %s: %v, want %s", name, proto, got, want)
		}
	case errors.As(err, &e) && e.IsNotFound:
		if want != "no such host" {
			w.Errorf("%s by %s: %v, want %s", name, proto, err, want)
		}
	case want != "error":
		w.Errorf("%s by %s: %v, want %s", name, proto, err, want)
	}
}

// nameServer knows that host.example.org is 192.0.2.7, and nothing else.
func (s *space) nameServer(address string) {
	s.Helper()
	reply := func(query []byte) []byte {
		var m dnsmessage.Message
		if m.Unpack(query) != nil {
			return nil
		}
		m.Response, m.Additionals = true, nil
		switch q := m.Questions[0]; {
		case !strings.EqualFold(q.Name.String(), "host.example.org."):
			m.RCode = dnsmessage.RCodeNameError
		case q.Type == dnsmessage.TypeA:
			m.Answers = []dnsmessage.Resource{{Header: dnsmessage.ResourceHeader{Name: q.Name, Class: q.Class}, Body: &dnsmessage.AResource{A: [4]byte{192, 0, 2, 7}}}}
		}
		out, _ := m.Pack()
		return out
	}
	must(s.T, s.in(func() error {
		c, err := net.ListenPacket("udp", address)
		if err != nil {
			return err
		}
		l, err := net.Listen("tcp", address)
		if err != nil {
			return err
		}
		s.Cleanup(func() { c.Close(); l.Close() })
		go func() {
			buf := make([]byte, 1500)
			for {
				n, from, err := c.ReadFrom(buf)
				if err != nil {
					return
				}
				c.WriteTo(reply(buf[:n]), from)
			}
		}()
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				buf := make([]byte, 1500)
				if n, _ := c.Read(buf); n > 2 {
					out := reply(buf[2:n])
					c.Write(append([]byte{byte(len(out) >> 8), byte(len(out))}, out...))
				}
				c.Close()
			}
		}()
		return nil
	}))
}

// route makes a route by a gateway.
func (s *space) route(to, gateway string) error {
	return s.in(func() error {
		_, dst, err := net.ParseCIDR(to)
		if err != nil {
			return err
		}
		return netlink.RouteAdd(&netlink.Route{Dst: dst, Gw: net.ParseIP(gateway)})
	})
}
