package network

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"

	types "github.com/moby/moby/api/types/network"
)

// addressList is a flag of addresses, with commas or several times.
type addressList struct{ to *[]net.IP }

func (*addressList) String() string { return "" }
func (*addressList) Type() string   { return "strings" }

func (l *addressList) Set(s string) error {
	for part := range strings.SplitSeq(s, ",") {
		ip := net.ParseIP(strings.TrimSpace(part))
		if ip == nil {
			return fmt.Errorf("invalid string being converted to IP address: %s", part)
		}
		*l.to = append(*l.to, ip)
	}
	return nil
}

// ipam puts ranges, gateways and other addresses to the subnets that they lie in.
func (f *ipamFlags) ipam() (*types.IPAM, error) {
	if len(f.subnets) < len(f.ranges) || len(f.subnets) < len(f.gateways) {
		return nil, errors.New("every ip-range or gateway must have a corresponding subnet")
	}
	list, err := f.pools()
	if err != nil {
		return nil, err
	}
	for _, r := range f.ranges {
		if err := addRange(list, r); err != nil {
			return nil, err
		}
	}
	for _, g := range f.gateways {
		ip, _ := netip.AddrFromSlice(g)
		if err := addGateway(list, ip.Unmap()); err != nil {
			return nil, err
		}
	}
	for name, s := range f.aux {
		if err := addOther(list, name, s); err != nil {
			return nil, err
		}
	}
	return &types.IPAM{Driver: f.driver, Config: list, Options: f.options}, nil
}

func (f *ipamFlags) pools() ([]types.IPAMConfig, error) {
	list := []types.IPAMConfig{}
	for _, s := range f.subnets {
		p, err := netip.ParsePrefix(s)
		if err != nil {
			return nil, err
		}
		for _, other := range list {
			if other.Subnet.Overlaps(p) {
				return nil, errors.New("multiple overlapping subnet configuration is not supported")
			}
		}
		list = append(list, types.IPAMConfig{Subnet: p, AuxAddress: map[string]netip.Addr{}})
	}
	return list, nil
}

// in is the pool that an address lies in.
func in(list []types.IPAMConfig, ip netip.Addr) *types.IPAMConfig {
	for i := range list {
		if list[i].Subnet.Contains(ip) {
			return &list[i]
		}
	}
	return nil
}

func addRange(list []types.IPAMConfig, s string) error {
	p, err := netip.ParsePrefix(s)
	if err != nil {
		return err
	}
	c := in(list, p.Addr())
	switch {
	case c == nil:
		return fmt.Errorf("no matching subnet for range %s", s)
	case c.IPRange.IsValid():
		return fmt.Errorf("cannot configure multiple ranges (%s, %s) on the same subnet (%s)", s, c.IPRange, c.Subnet)
	}
	c.IPRange = p.Masked()
	return nil
}

func addGateway(list []types.IPAMConfig, ip netip.Addr) error {
	c := in(list, ip)
	switch {
	case c == nil:
		return fmt.Errorf("no matching subnet for gateway %s", ip)
	case c.Gateway.IsValid():
		return fmt.Errorf("cannot configure multiple gateways (%s, %s) for the same subnet (%s)", ip, c.Gateway, c.Subnet)
	}
	c.Gateway = ip
	return nil
}

func addOther(list []types.IPAMConfig, name, s string) error {
	ip, err := netip.ParseAddr(s)
	if err != nil {
		return err
	}
	c := in(list, ip)
	if c == nil {
		return fmt.Errorf("no matching subnet for aux-address %s", s)
	}
	c.AuxAddress[name] = ip
	return nil
}
