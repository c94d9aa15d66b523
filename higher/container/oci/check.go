package oci

import (
	types "github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"
)

// Check says what is wrong with a new container's configuration, of which the image's part has been merged into c
// already, and fills in defaults. Other containers, networks and images that it names are for others to look up.
func Check(c *types.Config, h *types.HostConfig, n *network.NetworkingConfig, d *Defaults) (warnings []string, err error) {
	for _, check := range []func() ([]string, error){
		func() ([]string, error) { return nil, checkConfig(c) },
		func() ([]string, error) { return nil, checkHostConfig(h) },
		func() ([]string, error) { return nil, checkEndpoints(n) },
		func() ([]string, error) { return checkResources(&h.Resources, d.Host, false) },
		func() ([]string, error) { return nil, checkModes(h, d) },
		func() ([]string, error) { return networkWarnings(h), nil },
		func() ([]string, error) { return nil, checkRuntime(h, d) },
		func() ([]string, error) { return nil, fill(h, d) },
		func() ([]string, error) { return checkSecurity(h, d) },
	} {
		more, err := check()
		warnings = append(warnings, more...)
		if err != nil {
			return warnings, err
		}
	}
	return warnings, nil
}

func checkSecurity(h *types.HostConfig, d *Defaults) ([]string, error) {
	s, err := parseSecurity(h, d)
	if err != nil {
		return nil, err
	}
	return s.check(h, d)
}

func networkWarnings(h *types.HostConfig) (warnings []string) {
	if !h.NetworkMode.IsHost() && !h.NetworkMode.IsNone() && !forwarding() {
		warnings = append(warnings, "IPv4 forwarding is disabled. Networking will not work.")
	}
	if h.NetworkMode.IsHost() && len(h.PortBindings) > 0 {
		warnings = append(warnings, "Published ports are discarded when using host network mode")
	}
	if (h.NetworkMode.IsDefault() || h.NetworkMode.IsBridge()) && len(h.Links) > 0 {
		warnings = append(warnings, "Links on the default bridge network are deprecated and will be removed in a future release. Use a custom network instead.")
	}
	return warnings
}

// forwarding says whether the host forwards packets.
var forwarding = func() bool { return line("/proc/sys/net/ipv4/ip_forward") == "1" }

func checkEndpoints(n *network.NetworkingConfig) error {
	if n == nil {
		return nil
	}
	for name, e := range n.EndpointsConfig {
		if e == nil {
			return invalidf("invalid config for network %s: EndpointsConfig is nil", name)
		}
	}
	return nil
}
