package network

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/containerd/errdefs"
	types "github.com/moby/moby/api/types/network"
)

// A pool is one subnet of a network and which of its addresses are taken.
type pool struct {
	subnet  netip.Prefix
	ranged  netip.Prefix // where addresses are taken from that nobody asked for; the subnet, or a part of it
	gateway netip.Addr
	route   netip.Addr // where containers' default route leads: the gateway, unless somebody named another
	used    map[netip.Addr]bool
}

// Auxiliary addresses of these names are the default routes of containers, as with Docker.
const (
	auxRoute4 = "DefaultGatewayIPv4"
	auxRoute6 = "DefaultGatewayIPv6"
)

// newPool makes the pool of a subnet; the gateway, if there is to be one, and auxiliary addresses are taken.
func newPool(c types.IPAMConfig) (*pool, error) {
	p := &pool{subnet: c.Subnet.Masked(), ranged: c.Subnet.Masked(), used: map[netip.Addr]bool{}}
	if c.IPRange.IsValid() {
		p.ranged = c.IPRange.Masked()
	}
	for name, a := range c.AuxAddress {
		if err := p.take(a); err != nil {
			return nil, fmt.Errorf("auxiliary address %s (%s): %w", a, name, err)
		}
	}
	p.gateway, p.route = c.Gateway, c.Gateway
	for _, name := range []string{auxRoute4, auxRoute6} {
		if a, ok := c.AuxAddress[name]; ok {
			p.route = a
		}
	}
	if !p.gateway.IsValid() {
		return p, nil
	}
	if err := p.take(p.gateway); err != nil {
		return nil, fmt.Errorf("gateway %s: %w", p.gateway, err)
	}
	return p, nil
}

// take marks a particular address.
func (p *pool) take(a netip.Addr) error {
	if !p.subnet.Contains(a) {
		return errdefs.ErrInvalidArgument.WithMessage(fmt.Sprintf("no configured subnet contains IP address %s", a))
	}
	if p.used[a] {
		return errdefs.ErrPermissionDenied.WithMessage("Address already in use")
	}
	p.used[a] = true
	return nil
}

// next takes the first address that is free. Its hardware address is made of it, so who knew the one that had it before reaches
// the new one.
func (p *pool) next() (netip.Addr, bool) {
	a, last := p.bounds()
	// Of as many addresses as are taken and one more, one is free, unless the range is smaller than that.
	for range len(p.used) + 1 {
		if !p.used[a] {
			p.used[a] = true
			return a, true
		}
		if a == last {
			break
		}
		a = a.Next()
	}
	return netip.Addr{}, false
}

// bounds are the first and the last address that may be handed out.
func (p *pool) bounds() (first, last netip.Addr) {
	first, last = p.ranged.Addr(), lastAddr(p.ranged)
	if p.subnet.Bits() >= p.subnet.Addr().BitLen()-1 {
		return first, last // RFC 3021
	}
	if first == p.subnet.Addr() {
		first = first.Next()
	}
	if p.subnet.Addr().Is4() && last == lastAddr(p.subnet) {
		last = last.Prev()
	}
	return first, last
}

func (p *pool) free(a netip.Addr) {
	if a != p.gateway {
		delete(p.used, a)
	}
}

// firstHost is where a gateway goes that nobody named.
func firstHost(c types.IPAMConfig) netip.Addr {
	p := pool{subnet: c.Subnet.Masked(), ranged: c.Subnet.Masked()}
	if c.IPRange.IsValid() {
		p.ranged = c.IPRange.Masked()
	}
	first, _ := p.bounds()
	for slices.Contains(auxAddresses(c), first) {
		first = first.Next()
	}
	return first
}

func auxAddresses(c types.IPAMConfig) []netip.Addr {
	var all []netip.Addr
	for _, a := range c.AuxAddress {
		all = append(all, a)
	}
	return all
}

// lastAddr is the last address of a prefix: the broadcast address, for IPv4.
func lastAddr(p netip.Prefix) netip.Addr {
	b := p.Masked().Addr().AsSlice()
	for bit := p.Bits(); bit < len(b)*8; bit++ {
		b[bit/8] |= 0x80 >> (bit % 8)
	}
	a, _ := netip.AddrFromSlice(b)
	return a
}

// pickSubnet finds the first subnet of the pools, of the family of an address, that overlaps none of those taken.
func pickSubnet(pools []AddressPool, v6 bool, taken []netip.Prefix) (netip.Prefix, error) {
	for _, p := range pools {
		if p.Base.Addr().Is6() != v6 {
			continue
		}
		if found, ok := pickFrom(p, taken); ok {
			return found, nil
		}
	}
	return netip.Prefix{}, errdefs.ErrInvalidArgument.WithMessage("all predefined address pools have been fully subnetted")
}

func pickFrom(p AddressPool, taken []netip.Prefix) (netip.Prefix, bool) {
	base := p.Base.Masked()
	for a := base.Addr(); a.IsValid() && base.Contains(a); {
		candidate := netip.PrefixFrom(a, p.Size)
		i := slices.IndexFunc(taken, candidate.Overlaps)
		if i < 0 {
			return candidate, true
		}
		// Behind the larger of the two there may be room.
		behind := candidate
		if taken[i].Bits() < candidate.Bits() {
			behind = taken[i]
		}
		a = lastAddr(behind).Next()
	}
	return netip.Prefix{}, false
}
