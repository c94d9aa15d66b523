package network

import (
	"context"
	"net/netip"
	"os"
	"strconv"
	"strings"

	"github.com/vishvananda/netlink"
)

// Restore is called once, after Open, with the network namespaces of the containers that run: what they have is taken
// over, what others had is taken back, and the table is made. The files stay the caller's.
func (m *Manager) Restore(_ context.Context, running map[string]*os.File) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for id, b := range m.sandboxes {
		if netns, ok := running[id]; ok && b.Attached {
			m.resume(b)
			m.resumeNames(b, netns)
		} else if err := m.detach(b); err != nil {
			m.log.Warn("cannot take back what a container had of networks", "container", id, "error", err)
		}
	}
	m.sweep()
	if m.fw == nil {
		return nil
	}
	for id, w := range m.networks {
		if w.Driver == driverBridge && !w.ConfigOnly {
			m.fw.networks[id] = rulesOf(w)
		}
	}
	return m.fw.rebuild()
}

// resume takes the ports of a container again that runs.
func (m *Manager) resume(b *Sandbox) {
	v4, v6 := b.gateway(false), b.gateway(true)
	p := &publisher{m: m, name: b.Container.Name}
	if v4 != nil && v4.IPv4.IsValid() {
		p.v4 = v4.IPv4.Addr()
	}
	if v6 != nil {
		p.v6 = v6.IPv6.Addr()
	}
	for port, bindings := range b.Ports {
		for _, had := range bindings {
			n, err := strconv.ParseUint(had.HostPort, 10, 16)
			if err == nil {
				err = p.take(wish{port: port, addrs: []netip.Addr{had.HostIP}}, uint16(n))
			}
			if err != nil {
				m.log.Error("a port of a container is not its own any more", "container", b.Container.Name, "error", err)
			}
		}
	}
	b.held, b.published = p.held, p.defined
	p.serve()
	if m.fw != nil {
		for k, v := range rulesOfPorts(b.published) {
			m.fw.ports[k] = v
		}
		for _, l := range m.linksOf(b) {
			m.fw.links[l] = true
		}
	}
}

// resumeNames answers a container's queries again: the sockets in its namespace ended with the daemon before.
func (m *Manager) resumeNames(b *Sandbox, netns *os.File) {
	m.directory.add(b.Endpoints)
	if netns == nil {
		return
	}
	if err := inNetns(netns, func() error { return m.serveNames(b, netns) }); err != nil {
		m.log.Error("a container's names are not answered", "container", b.Container.Name, "error", err)
	}
}

// sweep removes ports of our bridges that are nobody's: a daemon was killed between making and recording.
func (m *Manager) sweep() {
	links, err := listLinks()
	if err != nil {
		m.log.Warn("cannot look for devices that are left over", "error", err)
		return
	}
	known := map[string]bool{}
	for _, b := range m.sandboxes {
		for _, e := range b.Endpoints {
			known[e.Host] = true
		}
	}
	bridges := map[int]bool{}
	for _, w := range m.networks {
		bridges[w.index] = w.index != 0
	}
	for _, l := range links {
		if bridges[l.master] && l.veth() && !known[l.name] {
			if _, err := m.rtnl.do(removeLink(l.name)); err != nil {
				m.log.Warn("cannot remove a device that is left over", "error", err)
			}
		}
	}
}

type port struct {
	name   string
	master int
}

// veth says whether a device has a name as Reserve makes them: "veth" and seven digits of hexadecimal.
func (p port) veth() bool {
	digits, ok := strings.CutPrefix(p.name, "veth")
	return ok && len(digits) == 7 && strings.Trim(digits, "0123456789abcdef") == ""
}

func listLinks() ([]port, error) {
	all, err := whole(netlink.LinkList)
	if err != nil {
		return nil, err
	}
	var ports []port
	for _, l := range all {
		ports = append(ports, port{l.Attrs().Name, l.Attrs().MasterIndex})
	}
	return ports, nil
}
