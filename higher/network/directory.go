package network

import (
	"net/netip"
	"slices"
	"strings"
	"sync"

	types "github.com/moby/moby/api/types/network"
)

// directory is who has which name in which network. It has a lock of its own, so that queries do not wait for
// containers that are starting.
type directory struct {
	mu       sync.RWMutex
	networks map[string]*phonebook // by id
}

// phonebook is that of one network.
type phonebook struct {
	name    string
	names   map[string][]*Endpoint // in lower case
	reverse map[netip.Addr]string
}

// add makes endpoints known by their names.
func (d *directory) add(endpoints []*Endpoint) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.networks == nil {
		d.networks = map[string]*phonebook{}
	}
	for _, e := range endpoints {
		if len(e.DNSNames) == 0 {
			continue
		}
		p := d.networks[e.NetworkID]
		if p == nil {
			p = &phonebook{e.NetworkName, map[string][]*Endpoint{}, map[netip.Addr]string{}}
			d.networks[e.NetworkID] = p
		}
		p.add(e)
	}
}

func (p *phonebook) add(e *Endpoint) {
	for _, name := range e.DNSNames {
		name = strings.ToLower(name)
		if !slices.Contains(p.names[name], e) {
			p.names[name] = append(p.names[name], e)
		}
	}
	for _, a := range e.addresses() {
		p.reverse[a] = e.DNSNames[0]
	}
}

// remove forgets them.
func (d *directory) remove(endpoints []*Endpoint) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, e := range endpoints {
		p := d.networks[e.NetworkID]
		if p == nil {
			continue
		}
		for _, name := range e.DNSNames {
			name = strings.ToLower(name)
			if p.names[name] = slices.DeleteFunc(p.names[name], func(o *Endpoint) bool { return o == e }); len(p.names[name]) == 0 {
				delete(p.names, name)
			}
		}
		for _, a := range e.addresses() {
			delete(p.reverse, a)
		}
		if len(p.names) == 0 {
			delete(d.networks, e.NetworkID)
		}
	}
}

func (e *Endpoint) addresses() []netip.Addr {
	var all []netip.Addr
	for _, p := range []netip.Prefix{e.IPv4, e.IPv6} {
		if p.IsValid() {
			all = append(all, p.Addr())
		}
	}
	return all
}

// zone is what one container sees of the directory; its endpoints are those when it was made.
type zone struct {
	directory *directory
	endpoints []*Endpoint
	keep      bool
}

// Lookup looks in the container's networks, in the order of their names: for a link's alias, for a name, and for a
// name with its network behind a dot.
func (z *zone) Lookup(name string) ([]netip.Addr, bool) {
	z.directory.mu.RLock()
	defer z.directory.mu.RUnlock()
	for _, e := range z.endpoints {
		p := z.directory.networks[e.NetworkID]
		if p == nil {
			continue
		}
		found := p.names[e.linked(name)]
		if len(found) == 0 {
			if short, ok := strings.CutSuffix(name, "."+strings.ToLower(p.name)); ok {
				found = p.names[short]
			}
		}
		if len(found) > 0 {
			var all []netip.Addr
			for _, f := range found {
				all = append(all, f.addresses()...)
			}
			return all, true
		}
	}
	return nil, false
}

// linked is the name behind an alias of --link in a network of users, which only this container has; else the name.
func (e *Endpoint) linked(name string) string {
	for _, l := range e.Settings.Links {
		target, alias, ok := strings.Cut(l, ":")
		if ok && strings.EqualFold(alias, name) {
			return strings.ToLower(strings.TrimPrefix(target, "/"))
		}
	}
	return name
}

// Reverse names a container with its network.
func (z *zone) Reverse(a netip.Addr) (string, bool) {
	z.directory.mu.RLock()
	defer z.directory.mu.RUnlock()
	for _, e := range z.endpoints {
		if p := z.directory.networks[e.NetworkID]; p != nil && p.reverse[a] != "" {
			return p.reverse[a] + "." + p.name, true
		}
	}
	return "", false
}

// KeepSingleLabels is so if somebody asked for a positive ndots: then the client comes back with a domain.
func (z *zone) KeepSingleLabels() bool { return z.keep }

// Rename gives a container another name.
func (m *Manager) Rename(id, name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	b := m.sandboxes[id]
	if b == nil {
		return nil
	}
	if b.Attached {
		m.directory.remove(b.Endpoints)
		defer func() { m.directory.add(b.Endpoints) }()
	}
	b.Container.Name = name
	for _, e := range b.Endpoints {
		s := e.Settings
		if s == nil {
			s = &types.EndpointSettings{}
		}
		if w := m.networks[e.NetworkID]; w != nil {
			e.DNSNames = dnsNames(w, b.Container, s)
		}
	}
	return m.store.putSandbox(b)
}
