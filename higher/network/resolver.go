package network

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/dhow-containers/dhow/higher/network/dns"
	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
)

// resolverAddr is where containers in networks of users ask, Docker's.
var resolverAddr = netip.AddrFrom4([4]byte{127, 0, 0, 11})

// user returns the first endpoint in a network of users, or nil.
func (b *Sandbox) user() *Endpoint {
	i := slices.IndexFunc(b.Endpoints, func(e *Endpoint) bool { return e.Driver == driverBridge && len(e.DNSNames) > 0 })
	if i < 0 {
		return nil
	}
	return b.Endpoints[i]
}

// serveNames opens sockets in the container's namespace, in which the calling thread is, and answers there. They have
// ports of the kernel's choice, so that a container can have a name server of its own at port 53 of all addresses; a
// table in the container's namespace leads from 127.0.0.11:53 to them.
func (m *Manager) serveNames(b *Sandbox, netns *os.File) error {
	if b.user() == nil {
		return nil
	}
	c, err := m.upstream(b)
	if err != nil {
		return err
	}
	b.stopNames()
	var config net.ListenConfig
	config.SetMultipathTCP(false)
	udp, err := config.ListenPacket(context.Background(), "udp4", netip.AddrPortFrom(resolverAddr, 0).String())
	if err != nil {
		return fmt.Errorf("cannot answer names in the container: %w", err)
	}
	tcp, err := config.Listen(context.Background(), "tcp4", netip.AddrPortFrom(resolverAddr, 0).String())
	if err != nil {
		return errors.Join(fmt.Errorf("cannot answer names in the container: %w", err), udp.Close())
	}
	err = redirect(b.Attached, udp.LocalAddr().(*net.UDPAddr).Port, tcp.Addr().(*net.TCPAddr).Port)
	if err != nil {
		return errors.Join(err, udp.Close(), tcp.Close())
	}
	servers, err := m.servers(b, c, netns)
	if err != nil {
		return errors.Join(err, udp.Close(), tcp.Close())
	}
	b.names = dns.Serve(m.zone(b, c), servers, udp.(*net.UDPConn), tcp.(*net.TCPListener))
	return nil
}

func (b *Sandbox) stopNames() {
	if b.names != nil {
		b.names.Close()
	}
	if b.inside != nil {
		b.inside.Close()
	}
	b.names, b.inside = nil, nil
}

func (m *Manager) zone(b *Sandbox, c resolvConf) dns.Zone {
	z := &zone{directory: &m.directory, endpoints: slices.Clone(b.Endpoints)}
	slices.SortFunc(z.endpoints, func(a, b *Endpoint) int { return strings.Compare(a.NetworkName, b.NetworkName) })
	n, ok := c.ndots()
	z.keep = ok && n != "0"
	return z
}

// servers are where queries go that are not about containers: nowhere if the container has no way out. A server on a
// loopback device is the host's if the host's file names it, and the container's own if somebody else did.
func (m *Manager) servers(b *Sandbox, c resolvConf, netns *os.File) ([]dns.Upstream, error) {
	if b.gateway(false) == nil && b.gateway(true) == nil {
		return nil, nil
	}
	if len(c.servers) == 0 {
		c.servers = publicServers
	}
	asked := len(b.Container.DNS) > 0 || len(m.config.DNS) > 0
	var all []dns.Upstream
	for _, a := range c.servers {
		u := dns.Upstream{Addr: netip.AddrPortFrom(a, 53)}
		if asked && a.IsLoopback() {
			if b.inside == nil {
				fd, err := unix.FcntlInt(netns.Fd(), unix.F_DUPFD_CLOEXEC, 0)
				if err != nil {
					return nil, os.NewSyscallError("fcntl", err)
				}
				b.inside = os.NewFile(uintptr(fd), netns.Name())
			}
			u.Dial = dialInside(b.inside)
		}
		all = append(all, u)
	}
	return all, nil
}

// dialInside reaches servers from a container's namespace.
func dialInside(netns *os.File) func(string, netip.AddrPort, time.Duration) (net.Conn, error) {
	return func(proto string, addr netip.AddrPort, timeout time.Duration) (c net.Conn, err error) {
		failed := inNetns(netns, func() error {
			c, err = net.DialTimeout(proto, addr.String(), timeout)
			return err
		})
		return c, failed
	}
}

// redirect is a table of one chain in the namespace of the calling thread; it replaces that of a daemon before.
func redirect(again bool, udp, tcp int) error {
	c, err := nftables.New()
	if err != nil {
		return fmt.Errorf("cannot open a netfilter socket in the container: %w", err)
	}
	t := &nftables.Table{Family: nftables.TableFamilyIPv4, Name: tableName + "-dns"}
	c.AddTable(t)
	if again {
		c.DelTable(t)
		c.AddTable(t)
	}
	accept := nftables.ChainPolicyAccept
	chain := c.AddChain(&nftables.Chain{Name: "output", Table: t, Type: nftables.ChainTypeNAT, Hooknum: nftables.ChainHookOutput, Priority: nftables.ChainPriorityNATDest, Policy: &accept})
	for _, to := range []struct {
		proto byte
		port  int
	}{{unix.IPPROTO_UDP, udp}, {unix.IPPROTO_TCP, tcp}} {
		c.AddRule(&nftables.Rule{Table: t, Chain: chain, Exprs: redirection(to.proto, uint16(to.port))})
	}
	if err := c.Flush(); err != nil {
		return fmt.Errorf("cannot redirect the container's names to the daemon: %w", err)
	}
	return nil
}

// redirection is "ip daddr 127.0.0.11 PROTO dport 53 dnat to 127.0.0.11:PORT".
func redirection(proto byte, port uint16) []expr.Any {
	all := append(load(expr.PayloadBaseNetworkHeader, 16, 4, 1), &expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: resolverAddr.AsSlice()},
		&expr.Meta{Key: expr.MetaKeyL4PROTO, Register: 1}, &expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: []byte{proto}})
	all = append(all, load(expr.PayloadBaseTransportHeader, 2, 2, 1)...)
	return append(all, &expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: []byte{0, 53}},
		&expr.Immediate{Register: 1, Data: resolverAddr.AsSlice()},
		&expr.Immediate{Register: 2, Data: portBytes(port)[:2]},
		&expr.NAT{Type: expr.NATTypeDestNAT, Family: unix.NFPROTO_IPV4, RegAddrMin: 1, RegProtoMin: 2, Specified: true})
}
