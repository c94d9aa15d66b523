package container

import (
	"context"
	"errors"
	"maps"
	"os"
	"slices"
	"strconv"

	"github.com/containerd/errdefs"
	"github.com/dhow-containers/dhow/higher/network"
	net "github.com/moby/moby/api/types/network"
)

// networked says whether a container has a network of its own, if only "none".
func (r *Record) networked() bool {
	return !r.Config.NetworkDisabled && !r.HostConfig.NetworkMode.IsContainer()
}

// setNetworks decides which networks a new container is in. One that is not there is an error at the start.
func (m *Manager) setNetworks(r *Record, n *net.NetworkingConfig) error {
	r.Networks = map[string]*net.EndpointSettings{}
	h := r.HostConfig
	if h.NetworkMode == "" || h.NetworkMode.IsDefault() {
		h.NetworkMode = net.NetworkBridge
	}
	if !r.networked() {
		return nil
	}
	var asked map[string]*net.EndpointSettings
	if n != nil {
		asked = maps.Clone(n.EndpointsConfig)
	}
	if e, ok := asked[net.NetworkDefault]; ok {
		delete(asked, net.NetworkDefault)
		asked[net.NetworkBridge] = e
	}
	mode := string(h.NetworkMode)
	if _, ok := asked[m.networkName(mode)]; !ok && asked[mode] == nil {
		if asked == nil {
			asked = map[string]*net.EndpointSettings{}
		}
		asked[mode] = nil
	}
	for name, e := range asked {
		if e == nil {
			e = &net.EndpointSettings{}
		}
		if err := m.Networks.Check(name, e); err != nil && !errdefs.IsNotFound(err) {
			return invalidf("invalid config for network %s: %v", name, err)
		}
		r.Networks[m.networkName(name)] = e.Copy()
	}
	return nil
}

// networkName is the name of a network that may be given by its id.
func (m *Manager) networkName(term string) string {
	if term == net.NetworkBridge || term == net.NetworkHost || term == net.NetworkNone {
		return term
	}
	if n, err := m.Networks.NetworkInspect(context.Background(), term, "", false); err == nil {
		return n.Name
	}
	return term
}

// networkOrder are the networks in the order of their devices: the one of NetworkMode is eth0.
func (m *Manager) networkOrder(r *Record) []string {
	first := m.networkName(string(r.HostConfig.NetworkMode))
	var names []string
	if _, ok := r.Networks[first]; ok {
		names = append(names, first)
	}
	for _, name := range sortedKeys(r.Networks) {
		if name != first {
			names = append(names, name)
		}
	}
	if names == nil {
		return []string{net.NetworkNone} // disconnected from all
	}
	return names
}

// asNetwork is what the network's side has to know of a container.
func (m *Manager) asNetwork(r *Record, links []network.Link) network.Container {
	return network.Container{
		ID: r.ID, Name: r.Name, Hostname: r.Config.Hostname, Domainname: r.Config.Domainname,
		ExtraHosts: r.HostConfig.ExtraHosts,
		DNS:        r.HostConfig.DNS, DNSOptions: r.HostConfig.DNSOptions, DNSSearch: r.HostConfig.DNSSearch,
		Ports: r.HostConfig.PortBindings, Exposed: r.Config.ExposedPorts, PublishAll: r.HostConfig.PublishAllPorts,
		Links: links,
	}
}

// reserve gives a container that starts its places in networks.
func (c *container) reserve(ctx context.Context, links []network.Link) error {
	m, r := c.m, c.record()
	as := m.asNetwork(r, links)
	for _, name := range m.networkOrder(r) {
		if _, err := m.Networks.Reserve(ctx, as, name, r.Networks[name]); err != nil {
			return err
		}
	}
	return c.writeFiles(ctx)
}

// writeFiles writes what is mounted on /etc/hosts, /etc/resolv.conf and /etc/hostname.
func (c *container) writeFiles(ctx context.Context) error {
	files, err := c.m.Networks.Files(ctx, c.id)
	if err != nil {
		return err
	}
	for _, f := range []struct {
		name    string
		content []byte
	}{
		{"hosts", files.Hosts}, {"resolv.conf", files.ResolvConf}, {"hostname", []byte(c.record().Config.Hostname + "\n")},
	} {
		if err := c.writeFile(f.name, f.content); err != nil {
			return err
		}
	}
	return nil
}

// openNetns opens the network namespace of a process; nil for a container on the host's network.
func (r *Record) openNetns(pid int) (*os.File, error) {
	if r.HostConfig.NetworkMode.IsHost() {
		return nil, nil
	}
	return os.Open("/proc/" + strconv.Itoa(pid) + "/ns/net")
}

// attach joins a created task to its networks.
func (c *container) attach(ctx context.Context, pid int) (err error) {
	netns, err := c.record().openNetns(pid)
	if err != nil {
		return err
	}
	if netns != nil {
		defer func() { err = errors.Join(err, netns.Close()) }()
	}
	return c.m.Networks.Attach(ctx, c.id, netns)
}

// showNetworks puts into a record what a container has now.
func (m *Manager) showNetworks(r *Record) {
	b := m.Networks.Sandbox(r.ID)
	if b == nil {
		r.Live, r.Ports = nil, nil
		return
	}
	live, asked := map[string]*net.EndpointSettings{}, maps.Clone(r.Networks)
	for _, e := range b.Endpoints {
		if len(r.Networks) == 0 && e.NetworkName == net.NetworkNone {
			continue // it stands for having no network
		}
		s := asked[e.NetworkName].Copy()
		if s == nil {
			s = e.Settings.Copy()
		}
		s.NetworkID, s.DNSNames = e.NetworkID, e.DNSNames
		asked[e.NetworkName] = s
		now := s.Copy()
		e.Apply(now)
		live[e.NetworkName] = now
	}
	r.Networks, r.Live, r.Ports = asked, live, b.Ports
}

// networks are those that clients are shown.
func (r *Record) networks() map[string]*net.EndpointSettings {
	all := map[string]*net.EndpointSettings{}
	for name, s := range r.Networks {
		if now := r.Live[name]; now != nil {
			s = now
		}
		all[name] = s.Copy()
	}
	return all
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
