package network

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"

	"github.com/containerd/errdefs"
	"github.com/dhow-containers/dhow/higher/network/dns"
	types "github.com/moby/moby/api/types/network"
)

// Container is what the manager has to know of a container.
type Container struct {
	ID, Name   string // the name without a slash
	Hostname   string // with domain, if there is one
	Domainname string
	ExtraHosts []string     // --add-host: NAME:ADDRESS or NAME:host-gateway
	DNS        []netip.Addr // --dns; nil for the daemon's
	DNSOptions []string
	DNSSearch  []string
	Ports      types.PortMap // -p
	Exposed    types.PortSet // EXPOSE, --expose
	PublishAll bool          // -P
	Links      []Link        // --link on the default bridge
}

// Link is a link of the default bridge: a container under another name.
type Link struct{ ID, Name, Alias string }

// Endpoint is a container's place in a network.
type Endpoint struct {
	ID          string
	NetworkID   string
	NetworkName string
	Driver      string
	MAC         types.HardwareAddr `json:",omitempty"`
	IPv4, IPv6  netip.Prefix       // invalid for none
	Gateway     netip.Addr
	Gateway6    netip.Addr
	Host        string // our end of the veth pair
	Interface   string // the name of the other; empty until attached
	DNSNames    []string
	Settings    *types.EndpointSettings // what was asked for
}

// Sandbox is all that a container holds.
type Sandbox struct {
	Container Container
	Endpoints []*Endpoint
	Ports     types.PortMap // as published; set by Attach
	Serial    uint64        // of the last change of addresses, over all containers
	Attached  bool

	published []binding
	held      []*holder
	names     *dns.Server
	inside    *os.File // the namespace, for name servers on its loopback device
}

// endpoint returns the one in a network, or nil.
func (b *Sandbox) endpoint(networkID string) *Endpoint {
	for _, e := range b.Endpoints {
		if e.NetworkID == networkID {
			return e
		}
	}
	return nil
}

// Apply writes what is so into the settings that inspect shows.
func (e *Endpoint) Apply(s *types.EndpointSettings) {
	s.NetworkID, s.EndpointID, s.MacAddress = e.NetworkID, e.ID, e.MAC
	s.Gateway, s.IPv6Gateway = e.Gateway, e.Gateway6
	s.IPAddress, s.IPPrefixLen, s.GlobalIPv6Address, s.GlobalIPv6PrefixLen = netip.Addr{}, 0, netip.Addr{}, 0
	if e.IPv4.IsValid() {
		s.IPAddress, s.IPPrefixLen = e.IPv4.Addr(), e.IPv4.Bits()
	}
	if e.IPv6.IsValid() {
		s.GlobalIPv6Address, s.GlobalIPv6PrefixLen = e.IPv6.Addr(), e.IPv6.Bits()
	}
	s.DNSNames = slices.Clone(e.DNSNames)
}

// Check says whether a container may have such an endpoint, when it is created; name is that of a network or its id.
func (m *Manager) Check(name string, s *types.EndpointSettings) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	w, err := m.find(name)
	if err != nil {
		return err
	}
	return w.check(s)
}

// check has Docker's sentences.
func (w *entry) check(s *types.EndpointSettings) error {
	if w.ConfigOnly {
		return errdefs.ErrPermissionDenied.WithMessage(fmt.Sprintf("cannot attach container to config-only network %s", w.Name))
	}
	if s == nil {
		return nil
	}
	var wrong []string
	if c := s.IPAMConfig; c != nil {
		asked := slices.DeleteFunc([]netip.Addr{c.IPv4Address, c.IPv6Address}, func(a netip.Addr) bool { return !a.IsValid() })
		if !w.user() && len(asked) > 0 {
			wrong = append(wrong, "user-specified IP address is supported on user-defined networks only")
		}
		wrong = append(wrong, w.checkAddresses(asked)...)
		if c.IPv4Address.IsValid() && !c.IPv4Address.Is4() {
			wrong = append(wrong, fmt.Sprintf("invalid IPv4 address: %s", c.IPv4Address))
		}
		if c.IPv6Address.IsValid() && !c.IPv6Address.Is6() {
			wrong = append(wrong, fmt.Sprintf("invalid IPv6 address: %s", c.IPv6Address))
		}
		wrong = append(wrong, w.checkLinkLocal(c)...)
	}
	if len(s.Aliases) > 0 && !w.user() {
		wrong = append(wrong, "network-scoped aliases are only supported for user-defined networks")
	}
	for key, value := range s.DriverOpts {
		switch key {
		case optIfname:
		case optSysctls:
			_, bad := parseSysctls(value)
			wrong = append(wrong, bad...)
		default:
			wrong = append(wrong, fmt.Sprintf("endpoint option %s is not supported", key))
		}
	}
	if len(wrong) > 0 {
		mark := ""
		if len(wrong) > 1 {
			mark = "* "
		}
		return errdefs.ErrInvalidArgument.WithMessage("invalid endpoint settings:\n" + mark + strings.Join(wrong, "\n"+mark))
	}
	return nil
}

func (w *entry) checkAddresses(asked []netip.Addr) []string {
	var wrong []string
	for _, a := range asked {
		if w.poolOf(a) == nil {
			wrong = append(wrong, fmt.Sprintf("no configured subnet contains IP address %s", a))
		}
	}
	return wrong
}

// Reserve gives a container its place in a network: addresses, a MAC address, names. The first network of a container
// becomes eth0, and so on. s is what was asked for; it may be nil.
func (m *Manager) Reserve(_ context.Context, c Container, name string, s *types.EndpointSettings) (*Endpoint, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	w, err := m.find(name)
	if err != nil {
		return nil, err
	}
	b := m.sandboxes[c.ID]
	if b == nil {
		b = &Sandbox{Container: c}
	}
	if b.endpoint(w.ID) != nil {
		return nil, errdefs.ErrConflict.WithMessage(fmt.Sprintf("%s is already attached to network %s", c.Name, w.Name))
	}
	b.Container = c
	e, err := m.newEndpoint(w, c, s)
	if err != nil {
		return nil, err
	}
	b.Endpoints = append(b.Endpoints, e)
	m.serial++
	b.Serial = m.serial
	if err := m.store.putSandbox(b); err != nil {
		b.Endpoints = b.Endpoints[:len(b.Endpoints)-1]
		w.free(e)
		return nil, err
	}
	m.sandboxes[c.ID] = b
	w.endpoints[c.ID] = e
	return e, nil
}

func (m *Manager) newEndpoint(w *entry, c Container, s *types.EndpointSettings) (*Endpoint, error) {
	if err := w.check(s); err != nil {
		return nil, err
	}
	if s == nil {
		s = &types.EndpointSettings{}
	}
	e := &Endpoint{ID: newID(), NetworkID: w.ID, NetworkName: w.Name, Driver: w.Driver, Settings: s.Copy()}
	e.DNSNames = dnsNames(w, c, s)
	if w.Driver != driverBridge {
		return e, nil
	}
	e.Host = "veth" + e.ID[:7]
	if err := w.assign(e, s.IPAMConfig); err != nil {
		return nil, err
	}
	e.Gateway, e.Gateway6 = w.gateway(false), w.gateway(true)
	if !e.IPv6.IsValid() {
		e.Gateway6 = netip.Addr{}
	}
	if e.MAC = s.MacAddress; len(e.MAC) == 0 {
		e.MAC = macOf(e.IPv4, e.IPv6)
	}
	return e, nil
}

// assign takes the addresses of an endpoint, all or none.
func (w *entry) assign(e *Endpoint, c *types.EndpointIPAMConfig) error {
	if c == nil {
		c = &types.EndpointIPAMConfig{}
	}
	var err error
	if e.IPv4, err = w.address(false, c.IPv4Address); err == nil {
		e.IPv6, err = w.address(true, c.IPv6Address)
	}
	if err != nil {
		w.free(e)
		return err
	}
	return nil
}

// address takes one of a family: that which was asked for, or the next of the first pool that has any.
func (w *entry) address(v6 bool, asked netip.Addr) (netip.Prefix, error) {
	if asked.IsValid() {
		p := w.poolOf(asked)
		if p == nil {
			return netip.Prefix{}, errdefs.ErrInvalidArgument.WithMessage(fmt.Sprintf("no configured subnet contains IP address %s", asked))
		}
		if err := p.take(asked); err != nil {
			return netip.Prefix{}, err
		}
		return netip.PrefixFrom(asked, p.subnet.Bits()), nil
	}
	found := false
	for _, p := range w.pools {
		if p.subnet.Addr().Is6() != v6 {
			continue
		}
		found = true
		if a, ok := p.next(); ok {
			return netip.PrefixFrom(a, p.subnet.Bits()), nil
		}
	}
	if !found {
		return netip.Prefix{}, nil
	}
	family := "IPv4"
	if v6 {
		family = "IPv6"
	}
	return netip.Prefix{}, errdefs.ErrUnavailable.WithMessage(fmt.Sprintf("no available %s addresses on this network's address pools: %s (%s)", family, w.Name, w.ID))
}

// free gives the addresses of an endpoint back.
func (w *entry) free(e *Endpoint) {
	for _, p := range []netip.Prefix{e.IPv4, e.IPv6} {
		if pool := w.poolOf(p.Addr()); p.IsValid() && pool != nil {
			pool.free(p.Addr())
		}
	}
}

// macOf makes a locally administered MAC address of an IP address, so that neighbours that remember the one have the
// other right: 02:42 and the four bytes of the IPv4 address, or the last four of the IPv6 address.
func macOf(v4, v6 netip.Prefix) types.HardwareAddr {
	a := v4.Addr()
	if !v4.IsValid() {
		a = v6.Addr()
	}
	mac := net.HardwareAddr{0x02, 0x42, 0, 0, 0, 0}
	if bytes := a.AsSlice(); len(bytes) >= 4 {
		copy(mac[2:], bytes[len(bytes)-4:])
	} else {
		rand.Read(mac[2:])
	}
	return types.HardwareAddr(mac)
}

// dnsNames are the names that a container has in a network: its own, aliases, the short id, the hostname.
func dnsNames(w *entry, c Container, s *types.EndpointSettings) []string {
	if !w.user() {
		return nil
	}
	names := []string{c.Name}
	for _, more := range append(slices.Clone(s.Aliases), c.ID[:min(12, len(c.ID))], c.Hostname) {
		if more != "" && !slices.Contains(names, more) {
			names = append(names, more)
		}
	}
	return names
}

// newID makes an id of a network or an endpoint, 256 random bits.
func newID() string {
	var b [32]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}
