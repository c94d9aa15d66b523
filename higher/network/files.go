package network

import (
	"bytes"
	"context"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strings"

	"github.com/containerd/errdefs"
	types "github.com/moby/moby/api/types/network"
)

// Files are the contents of a container's /etc/hosts and /etc/resolv.conf.
type Files struct{ Hosts, ResolvConf []byte }

// Files makes the files of a container that has places in networks (after Reserve, before Attach).
func (m *Manager) Files(_ context.Context, id string) (*Files, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	b := m.sandboxes[id]
	if b == nil {
		return nil, errdefs.ErrNotFound.WithMessage(fmt.Sprintf("container %s has no place in any network", id))
	}
	hosts, err := m.hosts(b)
	if err != nil {
		return nil, err
	}
	conf, err := m.resolvConf(b)
	if err != nil {
		return nil, err
	}
	return &Files{Hosts: hosts, ResolvConf: conf.bytes()}, nil
}

const localHosts = `127.0.0.1	localhost
::1	localhost ip6-localhost ip6-loopback
fe00::	ip6-localnet
ff00::	ip6-mcastprefix
ff02::1	ip6-allnodes
ff02::2	ip6-allrouters
`

// localHosts4 is for containers without IPv6.
const localHosts4 = "127.0.0.1\tlocalhost\n"

func (m *Manager) hosts(b *Sandbox) ([]byte, error) {
	var out bytes.Buffer
	if b.onHost() {
		host, err := os.ReadFile("/etc/hosts")
		if err != nil && !os.IsNotExist(err) {
			return nil, fmt.Errorf("cannot read the host's /etc/hosts: %w", err)
		}
		out.Write(host)
	} else if slices.ContainsFunc(b.Endpoints, func(e *Endpoint) bool { return e.IPv6.IsValid() }) || len(b.bridged()) == 0 {
		out.WriteString(localHosts)
	} else {
		out.WriteString(localHosts4)
		out.WriteString(strings.SplitAfterN(localHosts, "\n", 2)[1])
	}
	extra, err := m.extraHosts(b.Container)
	if err != nil {
		return nil, err
	}
	out.WriteString(extra)
	out.WriteString(m.linkHosts(b.Container))
	name := b.Container.Hostname
	if b.Container.Domainname != "" {
		name = b.Container.Hostname + "." + b.Container.Domainname + " " + b.Container.Hostname
	} else if short, _, ok := strings.Cut(name, "."); ok {
		name += " " + short
	}
	for _, e := range b.bridged() {
		for _, p := range []netip.Prefix{e.IPv4, e.IPv6} {
			if p.IsValid() && name != "" {
				fmt.Fprintf(&out, "%s\t%s\n", p.Addr(), name)
			}
		}
	}
	return out.Bytes(), nil
}

func (b *Sandbox) onHost() bool {
	return slices.ContainsFunc(b.Endpoints, func(e *Endpoint) bool { return e.Driver == driverHost })
}

func (b *Sandbox) bridged() []*Endpoint {
	return slices.DeleteFunc(slices.Clone(b.Endpoints), func(e *Endpoint) bool { return e.Driver != driverBridge })
}

// extraHosts are those of --add-host; host-gateway stands for the host as docker0 has it.
func (m *Manager) extraHosts(c Container) (string, error) {
	var out strings.Builder
	for _, h := range c.ExtraHosts {
		name, value, ok := strings.Cut(h, ":")
		if !ok || name == "" {
			return "", errdefs.ErrInvalidArgument.WithMessage(fmt.Sprintf("bad format for add-host: %q", h))
		}
		addresses := []string{strings.Trim(value, "[]")}
		if value == "host-gateway" {
			if addresses = m.hostGateway(); len(addresses) == 0 {
				return "", errdefs.ErrUnavailable.WithMessage("unable to derive the IP value for host-gateway")
			}
		}
		for _, a := range addresses {
			fmt.Fprintf(&out, "%s\t%s\n", a, name)
		}
	}
	return out.String(), nil
}

func (m *Manager) hostGateway() []string {
	var all []string
	for _, a := range m.config.HostGateway {
		all = append(all, a.String())
	}
	if w := m.byName(types.NetworkBridge); w != nil && len(all) == 0 {
		for _, p := range w.hostAddresses() {
			all = append(all, p.Addr().String())
		}
	}
	return all
}

// linkHosts are the links of the default bridge: alias, id and name of the other container.
func (m *Manager) linkHosts(c Container) string {
	w := m.byName(types.NetworkBridge)
	if w == nil {
		return ""
	}
	var out strings.Builder
	for _, l := range c.Links {
		e := w.endpoints[l.ID]
		if e == nil || !e.IPv4.IsValid() {
			continue
		}
		names := []string{l.Alias}
		for _, n := range []string{l.ID[:min(12, len(l.ID))], l.Name} {
			if !slices.Contains(names, n) {
				names = append(names, n)
			}
		}
		fmt.Fprintf(&out, "%s\t%s\n", e.IPv4.Addr(), strings.Join(names, " "))
	}
	return out.String()
}
