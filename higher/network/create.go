package network

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/events"
	types "github.com/moby/moby/api/types/network"
)

func newRecord(name, driver string) record {
	return record{Network: types.Network{
		Name: name, ID: newID(), Created: time.Now(), Scope: "local", Driver: driver, EnableIPv4: true,
		IPAM:    types.IPAM{Driver: "default", Options: map[string]string{}, Config: []types.IPAMConfig{}},
		Options: map[string]string{}, Labels: map[string]string{},
	}}
}

// predefinedRecord is that of a network that is always there.
func predefinedRecord(name, driver string) record {
	n := newRecord(name, driver)
	n.IPAM.Options, n.IPAM.Config = nil, nil // as clients know them
	return n
}

func randomMAC() net.HardwareAddr {
	mac := make(net.HardwareAddr, 6)
	rand.Read(mac)
	mac[0] = mac[0]&0xfe | 2
	return mac
}

// NetworkCreate makes a network and its bridge.
func (m *Manager) NetworkCreate(_ context.Context, r *types.CreateRequest) (types.CreateResponse, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.checkCreate(r); err != nil {
		return types.CreateResponse{}, err
	}
	n := newRecord(r.Name, driverBridge)
	if err := m.fill(&n.Network, r); err != nil {
		return types.CreateResponse{}, err
	}
	w, err := newEntry(n)
	if err != nil {
		return types.CreateResponse{}, err
	}
	if err := m.realize(w); err != nil {
		return types.CreateResponse{}, err
	}
	m.emit(events.ActionCreate, w, nil)
	return types.CreateResponse{ID: n.ID}, nil
}

func (m *Manager) checkCreate(r *types.CreateRequest) error {
	switch name := strings.TrimSpace(r.Name); {
	case name == "":
		return errdefs.ErrInvalidArgument.WithMessage("invalid name: name is empty")
	case predefined(r.Name):
		return errdefs.ErrPermissionDenied.WithMessage(fmt.Sprintf("operation is not permitted on predefined %s network ", r.Name))
	case r.Name == "container" || strings.HasPrefix(r.Name, "container:"):
		return errdefs.ErrInvalidArgument.WithMessage(fmt.Sprintf("invalid name: %q is reserved", r.Name))
	case m.byName(r.Name) != nil:
		return errdefs.ErrConflict.WithMessage(fmt.Sprintf("network with name %s already exists", r.Name))
	case r.Ingress:
		return errdefs.ErrInvalidArgument.WithMessage("Ingress network can only be global scope network")
	case r.Scope != "" && r.Scope != "local":
		return errdefs.ErrPermissionDenied.WithMessage(fmt.Sprintf("cannot create a %s scoped network when swarm is not active", r.Scope))
	case r.ConfigOnly && r.ConfigFrom != nil && r.ConfigFrom.Network != "":
		return errdefs.ErrPermissionDenied.WithMessage("a configuration network cannot depend on another configuration network")
	}
	switch r.Driver {
	case "", "default", driverBridge:
	case driverHost, driverNull, "none":
		return errdefs.ErrPermissionDenied.WithMessage(fmt.Sprintf("only one instance of %q network is allowed", r.Driver))
	case "overlay":
		return errdefs.ErrPermissionDenied.WithMessage("This node is not a swarm manager. Use \"docker swarm init\" or \"docker swarm join\" to connect this node to swarm and try again.")
	default:
		return errdefs.ErrNotFound.WithMessage(fmt.Sprintf("plugin %q not found", r.Driver))
	}
	if r.IPAM != nil && r.IPAM.Driver != "" && r.IPAM.Driver != "default" && r.IPAM.Driver != "null" {
		return errdefs.ErrNotFound.WithMessage(fmt.Sprintf("plugin %q not found", r.IPAM.Driver))
	}
	return nil
}

// fill takes the request over, with what it leaves open.
func (m *Manager) fill(n *types.Network, r *types.CreateRequest) error {
	n.Internal, n.Attachable, n.ConfigOnly = r.Internal, r.Attachable, r.ConfigOnly
	n.EnableIPv4 = r.EnableIPv4 == nil || *r.EnableIPv4
	n.EnableIPv6 = r.EnableIPv6 != nil && *r.EnableIPv6
	maps.Copy(n.Options, m.config.DefaultNetOption)
	maps.Copy(n.Options, r.Options)
	maps.Copy(n.Labels, r.Labels)
	if r.IPAM != nil {
		n.IPAM.Config = slices.Clone(r.IPAM.Config)
		maps.Copy(n.IPAM.Options, r.IPAM.Options)
	}
	if r.ConfigFrom != nil && r.ConfigFrom.Network != "" {
		if err := m.inherit(n, r.ConfigFrom.Network); err != nil {
			return err
		}
	}
	for key, on := range map[string]*bool{"com.docker.network.enable_ipv4": &n.EnableIPv4, "com.docker.network.enable_ipv6": &n.EnableIPv6} {
		if value, ok := n.Options[key]; ok {
			var err error
			if *on, err = strconv.ParseBool(value); err != nil {
				return errdefs.ErrInvalidArgument.WithMessage(fmt.Sprintf("driver-opt %q is not a valid bool", key))
			}
			delete(n.Options, key)
		}
	}
	n.IPAM.Config = slices.DeleteFunc(n.IPAM.Config, func(c types.IPAMConfig) bool {
		return c.Subnet.IsValid() && (c.Subnet.Addr().Is6() && !n.EnableIPv6 || c.Subnet.Addr().Is4() && !n.EnableIPv4)
	})
	if err := checkIPAM(n.IPAM.Config); err != nil {
		return err
	}
	if !n.EnableIPv4 && !n.EnableIPv6 {
		return errdefs.ErrInvalidArgument.WithMessage("IPv4 or IPv6 must be enabled")
	}
	if n.ConfigOnly {
		return nil
	}
	return m.subnets(n)
}

// inherit takes the configuration of a config-only network over.
func (m *Manager) inherit(n *types.Network, from string) error {
	w, err := m.find(from)
	if err != nil {
		return err
	}
	if !w.ConfigOnly {
		return errdefs.ErrPermissionDenied.WithMessage(fmt.Sprintf("network %q is not a configuration only network", from))
	}
	if len(n.IPAM.Config) > 0 || len(n.Options) > 0 || n.Internal {
		return errdefs.ErrPermissionDenied.WithMessage("user specified configurations are not supported if the network depends on a configuration network")
	}
	n.ConfigFrom = types.ConfigReference{Network: w.Name}
	n.IPAM.Config = slices.Clone(w.IPAM.Config)
	n.EnableIPv4, n.EnableIPv6, n.Internal = w.EnableIPv4, w.EnableIPv6, w.Internal
	maps.Copy(n.Options, w.Options)
	maps.Copy(n.Labels, w.Labels)
	return nil
}

// checkIPAM has Docker's sentences, all that apply.
func checkIPAM(configs []types.IPAMConfig) error {
	var wrong []string
	add := func(format string, a ...any) { wrong = append(wrong, fmt.Sprintf(format, a...)) }
	for _, c := range configs {
		if !c.Subnet.IsValid() {
			if c.IPRange.IsValid() || c.Gateway.IsValid() || len(c.AuxAddress) > 0 {
				add("an ip-range, a gateway or an auxiliary address needs a subnet")
			}
			continue
		}
		family := "IPv4"
		if c.Subnet.Addr().Is6() {
			family = "IPv6"
		}
		if c.Subnet != c.Subnet.Masked() {
			add("invalid subnet %s: it should be %s", c.Subnet, c.Subnet.Masked())
		}
		if r := c.IPRange; r.IsValid() {
			switch {
			case r.Addr().Is6() != c.Subnet.Addr().Is6():
				add("invalid ip-range %s: parent subnet is an %s block", r, family)
			case r.Bits() < c.Subnet.Bits():
				add("invalid ip-range %s: CIDR block is bigger than its parent subnet %s", r, c.Subnet)
			case r != r.Masked():
				add("invalid ip-range %s: it should be %s", r, r.Masked())
			case !c.Subnet.Overlaps(r):
				add("invalid ip-range %s: parent subnet %s doesn't contain ip-range", r, c.Subnet)
			}
		}
		inside := func(what string, a netip.Addr) {
			switch {
			case a.Is6() != c.Subnet.Addr().Is6():
				add("invalid %s %s: parent subnet is an %s block", what, a, family)
			case !c.Subnet.Contains(a):
				add("invalid %s %s: parent subnet %s doesn't contain this address", what, a, c.Subnet)
			}
		}
		if c.Gateway.IsValid() {
			inside("gateway", c.Gateway)
		}
		for _, name := range slices.Sorted(maps.Keys(c.AuxAddress)) {
			if a := c.AuxAddress[name]; !c.Subnet.Contains(a) {
				inside("auxiliary address", a)
			}
		}
	}
	if len(wrong) > 0 {
		return errdefs.ErrInvalidArgument.WithMessage("invalid network config:\n" + strings.Join(wrong, "\n"))
	}
	return nil
}

// subnets finds subnets and gateways for families that have none, and refuses those that others have.
func (m *Manager) subnets(n *types.Network) error {
	taken, err := m.taken()
	if err != nil {
		return err
	}
	for _, v6 := range []bool{false, true} {
		if on := n.EnableIPv4 && !v6 || n.EnableIPv6 && v6; !on || slices.ContainsFunc(n.IPAM.Config, func(c types.IPAMConfig) bool {
			return c.Subnet.IsValid() && c.Subnet.Addr().Is6() == v6
		}) {
			continue
		}
		subnet, err := pickSubnet(m.pools(v6), v6, taken)
		if err != nil {
			return err
		}
		n.IPAM.Config = append(n.IPAM.Config, types.IPAMConfig{Subnet: subnet})
	}
	n.IPAM.Config = slices.DeleteFunc(n.IPAM.Config, func(c types.IPAMConfig) bool { return !c.Subnet.IsValid() })
	slices.SortStableFunc(n.IPAM.Config, func(a, b types.IPAMConfig) int { // IPv4 comes first
		return a.Subnet.Addr().BitLen() - b.Subnet.Addr().BitLen()
	})
	for i := range n.IPAM.Config {
		c := &n.IPAM.Config[i]
		for _, w := range m.networks {
			if slices.ContainsFunc(w.pools, func(p *pool) bool { return p.subnet.Overlaps(c.Subnet) }) {
				return errdefs.ErrPermissionDenied.WithMessage("invalid pool request: Pool overlaps with other one on this address space")
			}
		}
		if !c.Gateway.IsValid() {
			c.Gateway = firstHost(*c)
		}
	}
	return nil
}

// pools are where subnets come from. For IPv6, if nobody named one, they are of a prefix of this host's own, RFC 4193.
func (m *Manager) pools(v6 bool) []AddressPool {
	pools := m.config.AddressPools
	if !v6 || slices.ContainsFunc(pools, func(p AddressPool) bool { return p.Base.Addr().Is6() }) {
		return pools
	}
	return []AddressPool{{Base: m.localPrefix(), Size: 64}}
}

// localPrefix is made of the id of the network host, which is random and stays.
func (m *Manager) localPrefix() netip.Prefix {
	b := [16]byte{0: 0xfd}
	if w := m.byName(types.NetworkHost); w != nil {
		for i := range 5 {
			v, _ := strconv.ParseUint(w.ID[2*i:2*i+2], 16, 8)
			b[i+1] = byte(v)
		}
	}
	return netip.PrefixFrom(netip.AddrFrom16(b), 48)
}

// realize makes the record of a new network, its bridge and its part of the table, or nothing. The record comes first and
// goes last, so that a daemon that is killed leaves no bridge that nobody knows.
func (m *Manager) realize(w *entry) error {
	for _, other := range m.networks {
		if other.Driver == driverBridge && other.bridge == w.bridge && !w.ConfigOnly {
			return errdefs.ErrPermissionDenied.WithMessage(fmt.Sprintf("cannot create network %s (%s): conflicts with network %s (%s): networks have same bridge name", w.ID, w.bridge, other.ID, other.bridge))
		}
	}
	existed := !w.ConfigOnly && linkExists(w.bridge)
	w.Borrowed = existed
	if err := m.store.putNetwork(w.record); err != nil {
		return err
	}
	err := m.ensureBridge(w)
	if err == nil && m.fw != nil && !w.ConfigOnly {
		err = m.fw.addNetwork(w)
	}
	if err != nil {
		return errors.Join(err, m.dropBridge(w, existed), m.store.deleteNetwork(w.ID))
	}
	m.networks[w.ID] = w
	return nil
}

func (m *Manager) dropBridge(w *entry, existed bool) error {
	if existed {
		return nil
	}
	_, err := m.rtnl.do(removeLink(w.bridge))
	return err
}

// NetworkRemove removes a network that no running container is in, its bridge too.
func (m *Manager) NetworkRemove(_ context.Context, name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	w, err := m.find(name)
	if err != nil {
		return err
	}
	if predefined(w.Name) {
		return errdefs.ErrPermissionDenied.WithMessage(fmt.Sprintf("%s is a pre-defined network and cannot be removed", w.Name))
	}
	return m.remove(w)
}

func (m *Manager) remove(w *entry) error {
	if len(w.endpoints) > 0 {
		var active []string
		for id, e := range w.endpoints {
			active = append(active, fmt.Sprintf("name:%q id:%q", m.sandboxes[id].Container.Name, e.ID[:12]))
		}
		slices.Sort(active)
		return errdefs.ErrPermissionDenied.WithMessage(fmt.Sprintf("error while removing network: network %s has active endpoints (%s)", w.Name, strings.Join(active, ", ")))
	}
	for _, other := range m.networks {
		if w.ConfigOnly && other.ConfigFrom.Network == w.Name {
			return errdefs.ErrPermissionDenied.WithMessage(fmt.Sprintf("error while removing network: configuration network %q is in use", w.Name))
		}
	}
	var all error
	if m.fw != nil && !w.ConfigOnly {
		all = m.fw.removeNetwork(w)
	}
	if !w.ConfigOnly && !w.Borrowed {
		all = errors.Join(all, m.dropBridge(w, false))
	}
	if err := m.store.deleteNetwork(w.ID); err != nil {
		return errors.Join(all, err)
	}
	delete(m.networks, w.ID)
	m.emit(events.ActionDestroy, w, nil)
	return all
}
