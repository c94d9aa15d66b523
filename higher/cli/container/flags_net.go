package container

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"reflect"
	"strings"

	types "github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"
	"github.com/spf13/pflag"

	"github.com/dhow-containers/dhow/higher/cli/opts"
)

// netFlags are about networks, ports and names.
type netFlags struct {
	publish, expose, dns, dnsOptions, dnsSearch, hosts, links, aliases, linkLocal []string

	networks   []opts.Attachment
	publishAll bool
	ip, ip6    net.IP
	mac        string
}

func (f *netFlags) register(fs *pflag.FlagSet) {
	opts.List(fs, &f.publish, "publish", "p", "Publish a port on the host ([[IP:]HOST:]CONTAINER[/PROTOCOL], or ranges)", nil)
	opts.List(fs, &f.expose, "expose", "", "Expose a port or a range of ports", nil)
	fs.BoolVarP(&f.publishAll, "publish-all", "P", false, "Publish all exposed ports on free ports of the host")
	opts.List(fs, &f.dns, "dns", "", "Set a DNS server", opts.IP)
	opts.List(fs, &f.dnsOptions, "dns-opt", "", "Set a DNS option", nil)
	opts.List(fs, &f.dnsOptions, "dns-option", "", "Set a DNS option", nil)
	fs.MarkHidden("dns-opt")
	opts.List(fs, &f.dnsSearch, "dns-search", "", "Set a search domain", opts.SearchDomain)
	opts.List(fs, &f.hosts, "add-host", "", "Add a line to /etc/hosts (NAME:IP)", opts.Host)
	opts.List(fs, &f.links, "link", "", "Link to another container (NAME[:ALIAS])", opts.Link)
	opts.List(fs, &f.aliases, "network-alias", "", "Add a name in the network", nil)
	opts.List(fs, &f.aliases, "net-alias", "", "Add a name in the network", nil)
	fs.MarkHidden("net-alias")
	opts.List(fs, &f.linkLocal, "link-local-ip", "", "Add a link-local address", opts.IP)
	collectKind(fs, "network", &f.networks, "network", "Connect to a network (NAME, or name=NAME,alias=…,ip=…)", opts.Network)
	collectKind(fs, "network", &f.networks, "net", "Connect to a network", opts.Network)
	fs.MarkHidden("net")
	fs.IPVar(&f.ip, "ip", nil, "IPv4 address (172.30.100.104)")
	fs.IPVar(&f.ip6, "ip6", nil, "IPv6 address (2001:db8::33)")
	fs.StringVar(&f.mac, "mac-address", "", "MAC address (92:d0:c6:0a:29:33)")
}

func (f *netFlags) apply(r *request, _ *pflag.FlagSet) (err error) {
	if f.mac != "" {
		if _, err := net.ParseMAC(strings.TrimSpace(f.mac)); err != nil {
			return fmt.Errorf("%s is not a valid mac address", f.mac)
		}
	}
	h := r.host
	if r.config.ExposedPorts, h.PortBindings, err = opts.Publish(f.publish); err != nil {
		return err
	}
	for _, s := range f.expose {
		if err := opts.Expose(s, r.config.ExposedPorts); err != nil {
			return err
		}
	}
	h.PublishAllPorts, h.Links, h.ExtraHosts = f.publishAll, f.links, f.hosts
	h.DNS, h.DNSOptions, h.DNSSearch = addresses(f.dns), orEmpty(f.dnsOptions), orEmpty(f.dnsSearch)
	h.NetworkMode = "default"
	if len(f.networks) > 0 {
		h.NetworkMode = types.NetworkMode(f.networks[0].Target)
	}
	return f.endpoints(r.networking.EndpointsConfig)
}

// endpoints makes the settings of each network. The flags that name no network belong to the first.
func (f *netFlags) endpoints(to map[string]*network.EndpointSettings) error {
	all := f.networks
	if len(all) == 0 {
		all = []opts.Attachment{{Target: "default"}}
	}
	own, builtIn := false, false
	for i, n := range all {
		if opts.UserDefined(n.Target) {
			own = true
		} else {
			builtIn = true
		}
		if i == 0 {
			if err := f.first(&n); err != nil {
				return err
			}
		}
		e, err := endpoint(&n)
		if err != nil {
			return err
		}
		if _, there := to[n.Target]; there {
			return fmt.Errorf("network %q is specified multiple times", n.Target)
		}
		if len(f.networks) == 1 && reflect.ValueOf(*e).IsZero() {
			continue
		}
		to[n.Target] = e
	}
	if own && builtIn {
		return errors.New("conflicting options: cannot attach both user-defined and non-user-defined network-modes")
	}
	return nil
}

func (f *netFlags) first(n *opts.Attachment) error {
	conflict := func(what string) error {
		return errors.New("conflicting options: cannot specify both " + what)
	}
	switch {
	case len(n.Aliases) > 0 && len(f.aliases) > 0:
		return conflict("--network-alias and per-network alias")
	case n.IPv4.IsValid() && f.ip != nil:
		return conflict("--ip and per-network IPv4 address")
	case n.IPv6.IsValid() && f.ip6 != nil:
		return conflict("--ip6 and per-network IPv6 address")
	case n.MAC != "" && f.mac != "":
		return conflict("--mac-address and per-network MAC address")
	case len(n.LinkLocal) > 0 && len(f.linkLocal) > 0:
		return conflict("--link-local-ip and per-network link-local IP addresses")
	}
	if len(f.aliases) > 0 {
		n.Aliases = f.aliases
	}
	if opts.UserDefined(n.Target) && len(f.links) > 0 {
		n.Links = f.links // on the default bridge links are of the container
	}
	if ip, ok := netip.AddrFromSlice(f.ip.To4()); ok {
		n.IPv4 = ip
	}
	if ip, ok := netip.AddrFromSlice(f.ip6.To16()); ok {
		n.IPv6 = ip
	}
	if f.mac != "" {
		n.MAC = f.mac
	}
	if len(f.linkLocal) > 0 {
		n.LinkLocal = addresses(f.linkLocal)
	}
	return nil
}

func endpoint(n *opts.Attachment) (*network.EndpointSettings, error) {
	if strings.TrimSpace(n.Target) == "" {
		return nil, errors.New("no name set for network")
	}
	if !opts.UserDefined(n.Target) {
		if len(n.Aliases) > 0 {
			return nil, errors.New("network-scoped aliases are only supported for user-defined networks")
		}
		if len(n.Links) > 0 {
			return nil, errors.New("links are only supported for user-defined networks")
		}
	}
	e := &network.EndpointSettings{GwPriority: n.GwPriority, DriverOpts: n.DriverOpts, Links: n.Links}
	e.Aliases = append(e.Aliases, n.Aliases...)
	if n.IPv4.IsValid() || n.IPv6.IsValid() || len(n.LinkLocal) > 0 {
		e.IPAMConfig = &network.EndpointIPAMConfig{IPv4Address: n.IPv4, IPv6Address: n.IPv6, LinkLocalIPs: n.LinkLocal}
	}
	if n.MAC != "" {
		mac, err := net.ParseMAC(strings.TrimSpace(n.MAC))
		if err != nil {
			return nil, fmt.Errorf("%s is not a valid mac address", n.MAC)
		}
		e.MacAddress = network.HardwareAddr(mac)
	}
	return e, nil
}

// addresses are those that opts.IP has let through.
func addresses(list []string) []netip.Addr {
	all := []netip.Addr{}
	for _, s := range list {
		if ip, err := netip.ParseAddr(s); err == nil {
			all = append(all, ip)
		}
	}
	return all
}

// orEmpty makes [] of null in the request, as docker does: inspect shows it so.
func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}
