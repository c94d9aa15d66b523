package network

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strconv"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/events"
	types "github.com/moby/moby/api/types/network"
)

// Attach joins a container, whose network namespace is netns, to all networks it has a place in, and publishes its
// ports. It is called after the container was created and before its process starts. On an error nothing is left but
// what Reserve made. netns may be nil for a container on the host's network.
func (m *Manager) Attach(_ context.Context, id string, netns *os.File) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	b := m.sandboxes[id]
	if b == nil {
		return errdefs.ErrNotFound.WithMessage(fmt.Sprintf("container %s has no place in any network", id))
	}
	if netns == nil {
		b.Attached = true
		if err := m.store.putSandbox(b); err != nil {
			return err
		}
		m.emitConnected(b)
		return nil
	}
	if err := m.publish(b); err != nil {
		return err
	}
	err := m.join(b, netns, b.Endpoints)
	if err == nil {
		m.directory.add(b.Endpoints)
		b.Attached = true
		err = m.store.putSandbox(b)
	}
	if err != nil {
		b.stopNames()
		return errors.Join(err, m.part(b, b.Endpoints), m.unpublish(b))
	}
	for _, h := range b.held {
		h.serve(m.config.UserlandProxy)
	}
	m.emitConnected(b)
	return nil
}

func (m *Manager) emitConnected(b *Sandbox) {
	for _, e := range b.Endpoints {
		m.emit(events.ActionConnect, m.networks[e.NetworkID], map[string]string{"container": b.Container.ID})
	}
}

// join makes the devices of some of a container's endpoints.
func (m *Manager) join(b *Sandbox, netns *os.File, endpoints []*Endpoint) error {
	var outside, ready []request
	// With br_netfilter, what a container sends to its own published port does not leave the bridge.
	hairpin := len(b.published) > 0 && bridgeNetfilter()
	for _, e := range endpoints {
		w := m.networks[e.NetworkID]
		if w == nil || e.Driver != driverBridge {
			continue
		}
		m.departures.settle(e.addresses()...)
		e.Interface = b.interfaceName(w, e)
		v := veth{host: e.Host, bridge: w.index, isolated: !w.icc, hairpin: hairpin, container: e.Interface, netns: netns, mac: []byte(e.MAC), mtu: w.mtu}
		outside = append(outside, v.requests()...)
		ready = append(ready, noticeCarrier(e.Host), noticeCarrier(w.bridge))
	}
	if _, err := m.rtnl.do(outside...); err != nil {
		return m.explain(err, b)
	}
	err := inNetns(netns, func() error {
		if err := b.configure(endpoints); err != nil {
			return err
		}
		return m.serveNames(b, netns)
	})
	if err != nil {
		return err
	}
	_, err = m.rtnl.do(ready...)
	return err
}

// bridgeNetfilter says whether the table sees what is only bridged, too.
func bridgeNetfilter() bool {
	v4, err := os.ReadFile("/proc/sys/net/bridge/bridge-nf-call-iptables")
	v6, err6 := os.ReadFile("/proc/sys/net/bridge/bridge-nf-call-ip6tables")
	return err == nil && v4[0] == '1' || err6 == nil && v6[0] == '1'
}

// explain finds out whether a bridge has gone.
func (m *Manager) explain(err error, b *Sandbox) error {
	for _, e := range b.Endpoints {
		if w := m.networks[e.NetworkID]; w != nil && e.Driver == driverBridge && !linkExists(w.bridge) {
			return fmt.Errorf("the bridge %s of network %s was removed by somebody: %w", w.bridge, w.Name, err)
		}
	}
	return err
}

// interfaceName is that which was asked for, or the first with the network's prefix that the container does not have.
func (b *Sandbox) interfaceName(w *entry, e *Endpoint) string {
	if name := e.Settings.DriverOpts[optIfname]; name != "" {
		return name
	}
	for i := 0; ; i++ {
		name, used := w.prefix+strconv.Itoa(i), false
		for _, other := range b.Endpoints {
			used = used || other != e && other.Interface == name
		}
		if !used {
			return name
		}
	}
}

// configure runs in the container's namespace: addresses, routes, and devices turned on.
func (b *Sandbox) configure(endpoints []*Endpoint) error {
	c, err := openRTNL()
	if err != nil {
		return err
	}
	defer c.Close()
	ask := []request{askLink("lo")}
	for _, e := range endpoints {
		if e.Interface == "" {
			continue
		}
		ask = append(ask, askLink(e.Interface))
		if !e.IPv6.IsValid() {
			// No link-local address either, as with Docker.
			if err := setSysctl("ipv6/conf/"+e.Interface+"/disable_ipv6", "1"); err != nil && !errors.Is(err, os.ErrNotExist) {
				return err
			}
		}
	}
	answers, err := c.do(ask...)
	if err != nil {
		return err
	}
	index := map[string]int{}
	for _, a := range answers {
		if i, name := linkFrom(a); name != "" {
			index[name] = i
		}
	}
	if _, err = c.do(b.setup(endpoints, index)...); err != nil {
		return err
	}
	for _, e := range endpoints {
		if e.Interface != "" {
			if err := e.setSysctls(); err != nil {
				return err
			}
		}
	}
	return nil
}

func (b *Sandbox) setup(endpoints []*Endpoint, index map[string]int) []request {
	all := []request{setUp(index["lo"])}
	for _, e := range endpoints {
		if e.Interface == "" {
			continue
		}
		i := index[e.Interface]
		for _, a := range append([]netip.Prefix{e.IPv4, e.IPv6}, e.linkLocal()...) {
			if a.IsValid() {
				all = append(all, addAddress(i, a))
			}
		}
		all = append(all, setUp(i))
	}
	for _, v6 := range []bool{false, true} {
		if e := b.gateway(v6); e != nil && index[e.Interface] != 0 {
			all = append(all, addDefault(index[e.Interface], e.gateway(v6)))
		}
	}
	return all
}

func (e *Endpoint) gateway(v6 bool) netip.Addr {
	if v6 {
		return e.Gateway6
	}
	return e.Gateway
}

// gateway is the endpoint of the default route of a family: of those that have a gateway the one with the highest
// priority, or else that whose network's name is first.
func (b *Sandbox) gateway(v6 bool) *Endpoint {
	var best *Endpoint
	for _, e := range b.Endpoints {
		if !e.gateway(v6).IsValid() {
			continue
		}
		if best == nil || e.Settings.GwPriority > best.Settings.GwPriority ||
			e.Settings.GwPriority == best.Settings.GwPriority && e.NetworkName < best.NetworkName {
			best = e
		}
	}
	return best
}

// publish takes the container's ports and has the table lead there, at the endpoints of its default routes.
func (m *Manager) publish(b *Sandbox) error {
	v4, v6 := b.gateway(false), b.gateway(true)
	if v4 == nil {
		v4 = v6
	}
	if v4 == nil {
		b.Ports = portMap(b.Container, nil)
		return nil
	}
	var addr4, addr6 netip.Addr
	if v4.IPv4.IsValid() {
		addr4 = v4.IPv4.Addr()
	}
	if v6 != nil {
		addr6 = v6.IPv6.Addr()
	}
	p, err := m.publishPorts(b.Container, m.networks[v4.NetworkID], addr4, addr6)
	if err != nil {
		return fmt.Errorf("driver failed programming external connectivity on endpoint %s (%s): %w", b.Container.Name, v4.ID, err)
	}
	b.held, b.published, b.Ports = p.held, p.defined, portMap(b.Container, p.defined)
	if m.fw == nil {
		return nil
	}
	if err := m.fw.publish(rulesOfPorts(b.published), m.linksOf(b)); err != nil {
		return errors.Join(err, m.unpublish(b))
	}
	m.forgetFlows(b.published)
	return nil
}

// linksOf are what links of the default bridge open when ICC is off: the exposed ports of the other container.
func (m *Manager) linksOf(b *Sandbox) []linkKey {
	w := m.byName(types.NetworkBridge)
	if w == nil || w.icc || w.endpoints[b.Container.ID] == nil {
		return nil
	}
	from := w.endpoints[b.Container.ID].IPv4.Addr()
	var all []linkKey
	for _, l := range b.Container.Links {
		other, e := m.sandboxes[l.ID], w.endpoints[l.ID]
		if other == nil || e == nil {
			continue
		}
		for p := range portMap(other.Container, nil) {
			all = append(all, linkKey{from, e.IPv4.Addr(), protocol(p), p.Num()})
		}
	}
	return all
}

// unpublish gives the ports back.
func (m *Manager) unpublish(b *Sandbox) error {
	var err error
	if m.fw != nil {
		err = m.fw.withdraw(rulesOfPorts(b.published), b.addresses())
		m.forgetFlows(b.published)
	}
	for _, h := range b.held {
		m.release(h)
	}
	b.held, b.published, b.Ports = nil, nil, nil
	return err
}

func (b *Sandbox) addresses() []netip.Addr {
	var all []netip.Addr
	for _, e := range b.Endpoints {
		if e.IPv4.IsValid() {
			all = append(all, e.IPv4.Addr())
		}
	}
	return all
}

// part removes the devices of endpoints; those that have gone with the container's namespace are no error.
func (m *Manager) part(b *Sandbox, endpoints []*Endpoint) error {
	var all []request
	for _, e := range endpoints {
		if e.Driver == driverBridge {
			all = append(all, removeLink(e.Host))
		}
		e.Interface = ""
	}
	_, err := m.rtnl.do(all...)
	return err
}

// stopServing ends what the daemon does for a container.
func (b *Sandbox) stopServing() {
	for _, h := range b.held {
		h.Close()
	}
	b.held = nil
	b.stopNames()
}

// Detach takes back all that a container holds, addresses too, as Docker does when a container stops: devices, ports,
// names. Devices may take a little longer; see Settle. It is called when the container has ended, however it did, and when one that was reserved for does not start.
// A container that holds nothing is no error.
func (m *Manager) Detach(_ context.Context, id string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	b := m.sandboxes[id]
	if b == nil {
		return nil
	}
	return m.detach(b)
}

func (m *Manager) detach(b *Sandbox) error {
	id := b.Container.ID
	m.directory.remove(b.Endpoints)
	b.stopNames()
	err := m.unpublish(b)
	m.leaveLater(b.Endpoints)
	for _, e := range b.Endpoints {
		w := m.networks[e.NetworkID]
		if w == nil {
			continue
		}
		w.free(e)
		delete(w.endpoints, id)
		if b.Attached {
			m.emit(events.ActionDisconnect, w, map[string]string{"container": id})
		}
	}
	delete(m.sandboxes, id)
	return errors.Join(err, m.store.deleteSandbox(id))
}

// Release is called when a container is removed; like Detach, it may be called again.
func (m *Manager) Release(ctx context.Context, id string) error { return m.Detach(ctx, id) }
