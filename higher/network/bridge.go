package network

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"

	"github.com/containerd/errdefs"
	types "github.com/moby/moby/api/types/network"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

const defaultBridge = "docker0"

// validate finds what contradicts itself in the daemon's flags.
func (c *Config) validate() error {
	switch {
	case c.BIP.IsValid() && c.Bridge != "":
		return errdefs.ErrInvalidArgument.WithMessage("You specified -b & --bip, mutually exclusive options. Please specify only one")
	case !c.Firewall && !c.ICC:
		return errdefs.ErrInvalidArgument.WithMessage("You specified --iptables=false with --icc=false. ICC=false uses the firewall to work. Please set --icc or --iptables to true")
	case c.BIP.IsValid() && c.BIP.Addr() == c.BIP.Masked().Addr() && c.BIP.Bits() < 31:
		return errdefs.ErrInvalidArgument.WithMessage(fmt.Sprintf("--bip %s has no host part", c.BIP))
	case c.FixedCIDR.IsValid() && c.BIP.IsValid() && !c.BIP.Overlaps(c.FixedCIDR):
		return errdefs.ErrInvalidArgument.WithMessage(fmt.Sprintf("--fixed-cidr %s lies outside of --bip %s", c.FixedCIDR, c.BIP))
	}
	for _, p := range c.AddressPools {
		if p.Size < p.Base.Bits() || p.Size > p.Base.Addr().BitLen() {
			return errdefs.ErrInvalidArgument.WithMessage(fmt.Sprintf("--default-address-pool base=%s,size=%d: the size must lie between the base's prefix and %d", p.Base, p.Size, p.Base.Addr().BitLen()))
		}
	}
	if len(c.AddressPools) == 0 {
		c.AddressPools = DefaultAddressPools()
	}
	return nil
}

// predefine makes host, none and, unless --bridge=none, bridge. They keep their ids; bridge follows the flags.
func (m *Manager) predefine() error {
	for _, p := range []struct{ name, driver string }{{types.NetworkHost, driverHost}, {types.NetworkNone, driverNull}} {
		if m.byName(p.name) != nil {
			continue
		}
		if err := m.put(predefinedRecord(p.name, p.driver)); err != nil {
			return err
		}
	}
	old := m.byName(types.NetworkBridge)
	if m.config.Bridge == "none" {
		if old != nil {
			delete(m.networks, old.ID)
		}
		return nil
	}
	n := predefinedRecord(types.NetworkBridge, driverBridge)
	if old != nil {
		n.ID, n.Created = old.ID, old.Created
		delete(m.networks, old.ID)
	}
	if err := m.configureDefault(&n.Network, old); err != nil {
		return fmt.Errorf("cannot configure the default bridge: %w", err)
	}
	return m.put(n)
}

func (m *Manager) byName(name string) *entry {
	for _, w := range m.networks {
		if w.Name == name {
			return w
		}
	}
	return nil
}

// put records a network and takes it in.
func (m *Manager) put(n record) error {
	w, err := newEntry(n)
	if err != nil {
		return err
	}
	if err := m.store.putNetwork(n); err != nil {
		return err
	}
	m.networks[n.ID] = w
	return nil
}

// configureDefault sets options and subnets of the network bridge: as the flags say, else as the device is, else as it
// was, else from the pools.
func (m *Manager) configureDefault(n *types.Network, old *entry) error {
	c := m.config
	device, mtu, binding := c.Bridge, c.MTU, "0.0.0.0"
	if device == "" {
		device = defaultBridge
	}
	if mtu == 0 {
		mtu = defaultMTU
	}
	if c.HostIP.IsValid() {
		binding = c.HostIP.String()
	}
	n.Options = map[string]string{
		optDefault: "true", optICC: strconv.FormatBool(c.ICC), optMasquerade: strconv.FormatBool(c.IPMasq),
		optBinding: binding, optName: device, optMTU: strconv.Itoa(mtu),
	}
	v4, err := m.defaultSubnet(c.BIP, device, old, false)
	if err != nil {
		return err
	}
	v4.IPRange = c.FixedCIDR
	if v4.IPRange == v4.Subnet {
		v4.IPRange = netip.Prefix{}
	}
	routeBy(&v4, auxRoute4, c.DefaultGateway)
	n.IPAM.Config = []types.IPAMConfig{v4}
	if n.EnableIPv6 = c.IPv6; c.IPv6 {
		bip6 := c.BIP6
		if !bip6.IsValid() && c.FixedCIDR6.IsValid() {
			bip6 = netip.PrefixFrom(firstHost(types.IPAMConfig{Subnet: c.FixedCIDR6}), c.FixedCIDR6.Bits())
		}
		v6, err := m.defaultSubnet(bip6, device, old, true)
		if err != nil {
			return err
		}
		routeBy(&v6, auxRoute6, c.DefaultGateway6)
		n.IPAM.Config = append(n.IPAM.Config, v6)
	}
	return nil
}

// routeBy has containers' default route lead to another address than the bridge's.
func routeBy(c *types.IPAMConfig, name string, gateway netip.Addr) {
	if gateway.IsValid() && gateway != c.Gateway {
		c.AuxAddress = map[string]netip.Addr{name: gateway}
	}
}

// defaultSubnet finds the subnet and the address of the default bridge.
func (m *Manager) defaultSubnet(flag netip.Prefix, device string, old *entry, v6 bool) (types.IPAMConfig, error) {
	if flag.IsValid() {
		return types.IPAMConfig{Subnet: flag.Masked(), Gateway: flag.Addr()}, nil
	}
	if have := deviceAddress(device, v6); have.IsValid() {
		return types.IPAMConfig{Subnet: have.Masked(), Gateway: have.Addr()}, nil
	}
	taken, err := m.taken()
	if err != nil {
		return types.IPAMConfig{}, err
	}
	if old != nil && old.Options[optName] == device {
		for _, c := range old.IPAM.Config {
			if c.Subnet.Addr().Is6() == v6 && !slices.ContainsFunc(taken, c.Subnet.Overlaps) {
				return types.IPAMConfig{Subnet: c.Subnet, Gateway: c.Gateway}, nil
			}
		}
	}
	subnet, err := pickSubnet(m.pools(v6), v6, taken)
	if err != nil {
		return types.IPAMConfig{}, err
	}
	c := types.IPAMConfig{Subnet: subnet}
	c.Gateway = firstHost(c)
	return c, nil
}

// deviceAddress is the first global address of a family that a device has, invalid if there is none.
func deviceAddress(name string, v6 bool) netip.Prefix {
	family := unix.AF_INET
	if v6 {
		family = unix.AF_INET6
	}
	for _, p := range deviceAddresses(name, family) {
		if !p.Addr().IsLinkLocalUnicast() {
			return p
		}
	}
	return netip.Prefix{}
}

// deviceAddresses are none for a device that is not there.
func deviceAddresses(name string, family int) []netip.Prefix {
	link, err := netlink.LinkByName(name)
	if err != nil {
		return nil
	}
	list, err := whole(func() ([]netlink.Addr, error) { return netlink.AddrList(link, family) })
	if err != nil {
		return nil
	}
	var all []netip.Prefix
	for _, a := range list {
		if p, ok := prefixOf(a.IPNet.IP, a.IPNet.Mask); ok {
			all = append(all, p)
		}
	}
	return all
}

func prefixOf(ip, mask []byte) (netip.Prefix, bool) {
	a, ok := netip.AddrFromSlice(ip)
	bits := 0
	for _, b := range mask {
		for ; b&0x80 != 0; b <<= 1 {
			bits++
		}
	}
	if a = a.Unmap(); len(mask) == 16 && a.Is4() {
		bits -= 96
	}
	return netip.PrefixFrom(a, bits), ok
}

// taken are the subnets that are not to be given to a network: those of our networks and where the host routes to.
func (m *Manager) taken() ([]netip.Prefix, error) {
	var all []netip.Prefix
	for _, w := range m.networks {
		for _, p := range w.pools {
			all = append(all, p.subnet)
		}
	}
	routes, err := whole(func() ([]netlink.Route, error) { return netlink.RouteList(nil, netlink.FAMILY_ALL) })
	if err != nil {
		return nil, fmt.Errorf("cannot list the host's routes: %w", err)
	}
	for _, r := range routes {
		if r.Dst == nil {
			continue
		}
		if p, ok := prefixOf(r.Dst.IP, r.Dst.Mask); ok && p.Bits() > 0 {
			all = append(all, p.Masked())
		}
	}
	return all, nil
}

// ensureBridge makes a network's device if it is not there, and gives it its addresses; what it finds out about the
// device is kept in w.
func (m *Manager) ensureBridge(w *entry) error {
	if w.Driver != driverBridge || w.ConfigOnly {
		return nil
	}
	if w.Name == types.NetworkBridge {
		w.Borrowed = m.config.Bridge != ""
	}
	link, err := netlink.LinkByName(w.bridge)
	var missing netlink.LinkNotFoundError
	switch {
	case errors.As(err, &missing) && w.Name == types.NetworkBridge && w.Borrowed:
		return errdefs.ErrInvalidArgument.WithMessage(fmt.Sprintf("bridge device with non default name %s must be created manually", w.bridge))
	case errors.As(err, &missing):
		if link, err = makeBridge(w); err != nil {
			return err
		}
	case err != nil:
		return fmt.Errorf("cannot look for bridge %s: %w", w.bridge, err)
	case link.Type() != "bridge":
		return errdefs.ErrConflict.WithMessage(fmt.Sprintf("the device %s of network %s is there and is no bridge", w.bridge, w.Name))
	}
	w.index = link.Attrs().Index
	return m.configureBridge(w)
}

func makeBridge(w *entry) (netlink.Link, error) {
	attrs := netlink.NewLinkAttrs()
	// A MAC address of its own stays; else it were the lowest of the ports'.
	attrs.Name, attrs.MTU, attrs.HardwareAddr = w.bridge, w.mtu, randomMAC()
	if err := netlink.LinkAdd(&netlink.Bridge{LinkAttrs: attrs}); err != nil {
		return nil, fmt.Errorf("cannot make bridge %s: %w", w.bridge, err)
	}
	link, err := netlink.LinkByName(w.bridge)
	if err != nil {
		return nil, fmt.Errorf("cannot find bridge %s: %w", w.bridge, err)
	}
	return link, nil
}

func (m *Manager) configureBridge(w *entry) error {
	if w.pool(true) != nil {
		if err := m.enableForwarding6(); err != nil {
			return err
		}
	}
	if err := m.bridgeSysctls(w); err != nil {
		return err
	}
	requests := []request{setUp(w.index)}
	own := w.hostAddresses()
	for _, p := range own {
		requests = append(requests, addAddress(w.index, p))
	}
	for _, p := range deviceAddresses(w.bridge, unix.AF_UNSPEC) {
		// What the flags said before.
		if !w.Borrowed && !p.Addr().IsLinkLocalUnicast() && !slices.Contains(own, p) {
			requests = append(requests, removeAddress(w.index, p))
		}
	}
	if w.pool(true) != nil {
		// The address that the device makes itself cannot be used before it is known to be unique, seconds after the
		// first container has come; neighbours of others are asked for from a link-local one.
		requests = append(requests, addAddress(w.index, netip.MustParsePrefix("fe80::1/64")))
	}
	if _, err := m.rtnl.do(requests...); err != nil {
		return fmt.Errorf("cannot configure bridge %s: %w", w.bridge, err)
	}
	return nil
}

// bridgeSysctls: containers' ports are reached at 127.0.0.1 of the host by address translation, which takes
// route_localnet; the table's chain "guard" keeps containers from the host's loopback services. Without ICC, ports are
// isolated, and IPv4 between them is routed by way of the host, as far as the table lets it.
func (m *Manager) bridgeSysctls(w *entry) error {
	values := map[string]string{}
	if m.fw != nil {
		values["ipv4/conf/"+w.bridge+"/route_localnet"] = "1"
	}
	if !w.icc {
		values["ipv4/conf/"+w.bridge+"/proxy_arp_pvlan"] = "1"
		values["ipv4/conf/"+w.bridge+"/send_redirects"] = "0"
	}
	if w.pool(true) != nil {
		values["ipv6/conf/"+w.bridge+"/disable_ipv6"] = "0"
		values["ipv6/conf/"+w.bridge+"/accept_ra"] = "0"
		values["ipv6/conf/"+w.bridge+"/forwarding"] = "1"
	}
	for name, value := range values {
		if err := setSysctl(name, value); err != nil {
			return err
		}
	}
	return nil
}
