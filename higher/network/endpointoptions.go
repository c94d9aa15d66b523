package network

import (
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"

	types "github.com/moby/moby/api/types/network"
)

// optSysctls is the driver option of an endpoint with sysctls of its interface, whose name is IFNAME there.
const optSysctls = "com.docker.network.endpoint.sysctls"

// interfaceSysctl is net.FAMILY.GROUP.IFNAME.KEY=VALUE.
type interfaceSysctl struct{ family, group, key, value string }

// namePart is a part of a sysctl's name that cannot lead anywhere else: what an interface has are words.
var namePart = regexp.MustCompile(`^[a-z0-9_]+$`)

// parseSysctls reads the option, and has Docker's sentence for what is wrong.
func parseSysctls(option string) (all []interfaceSysctl, wrong []string) {
	if option == "" {
		return nil, nil
	}
	for one := range strings.SplitSeq(option, ",") {
		name, value, pair := strings.Cut(one, "=")
		p := strings.Split(name, ".")
		families := []string{"ipv4", "ipv6", "mpls"}
		if !pair || len(p) != 5 || p[0] != "net" || !slices.Contains(families, p[1]) || !strings.EqualFold(p[3], "ifname") || !namePart.MatchString(p[2]) || !namePart.MatchString(p[4]) {
			wrong = append(wrong, fmt.Sprintf("unrecognised network interface sysctl '%s'; represent 'net.X.Y.ethN.Z=V' as 'net.X.Y.IFNAME.Z=V', 'X' must be 'ipv4', 'ipv6' or 'mpls'", one))
			continue
		}
		all = append(all, interfaceSysctl{p[1], p[2], p[4], value})
	}
	return all, wrong
}

// setSysctls runs in the container's namespace, when the interface is up.
func (e *Endpoint) setSysctls() error {
	all, _ := parseSysctls(e.Settings.DriverOpts[optSysctls])
	for _, s := range all {
		if err := setSysctl(s.family+"/"+s.group+"/"+e.Interface+"/"+s.key, s.value); err != nil {
			return err
		}
	}
	return nil
}

// linkLocal are the further addresses of an endpoint, which no network hands out.
func (e *Endpoint) linkLocal() []netip.Prefix {
	if e.Settings.IPAMConfig == nil {
		return nil
	}
	var all []netip.Prefix
	for _, a := range e.Settings.IPAMConfig.LinkLocalIPs {
		bits := 16 // RFC 3927
		if a.Is6() {
			bits = 64
		}
		all = append(all, netip.PrefixFrom(a, bits))
	}
	return all
}

// checkLinkLocal has sentences for what is wrong with those that are asked for.
func (w *entry) checkLinkLocal(c *types.EndpointIPAMConfig) (wrong []string) {
	for _, a := range c.LinkLocalIPs {
		switch {
		case !a.IsLinkLocalUnicast():
			wrong = append(wrong, fmt.Sprintf("invalid link-local IP address: %s", a))
		case a.Is6() && !w.EnableIPv6:
			wrong = append(wrong, fmt.Sprintf("the link-local IP address %s needs a network with IPv6", a))
		}
	}
	return wrong
}
