package network

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// staleFlows picks the flows of UDP ports that a container has come to, or gone from. The kernel decides on a translation
// by a flow's first packet, so it would send datagrams where the port led before for as long as somebody keeps talking.
type staleFlows struct{ published []binding }

// MatchConntrackFlow is so for flows to a published UDP port.
func (s staleFlows) MatchConntrackFlow(f *netlink.ConntrackFlow) bool {
	if f.Forward.Protocol != unix.IPPROTO_UDP {
		return false
	}
	to, ok := netip.AddrFromSlice(f.Forward.DstIP)
	if !ok {
		return false
	}
	to = to.Unmap()
	return slices.ContainsFunc(s.published, func(b binding) bool {
		host := b.host.Addr()
		return protocol(b.container) == unix.IPPROTO_UDP && b.host.Port() == f.Forward.DstPort && (host == to || host.IsUnspecified() && host.Is4() == to.Is4())
	})
}

// forgetFlows removes the flows of published UDP ports, if there are any such ports.
func (m *Manager) forgetFlows(published []binding) {
	if m.fw == nil {
		return
	}
	for _, v6 := range []bool{false, true} {
		family := netlink.InetFamily(unix.AF_INET)
		if v6 {
			family = unix.AF_INET6
		}
		if !slices.ContainsFunc(published, func(b binding) bool {
			return protocol(b.container) == unix.IPPROTO_UDP && b.host.Addr().Is6() == v6
		}) {
			continue
		}
		_, err := whole(func() (uint, error) {
			return netlink.ConntrackDeleteFilters(netlink.ConntrackTable, family, staleFlows{published})
		})
		if err != nil {
			m.log.Warn("datagrams may go where a port led before", "error", fmt.Errorf("cannot remove flows: %w", err))
		}
	}
}
