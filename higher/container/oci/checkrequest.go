package oci

import (
	types "github.com/moby/moby/api/types/container"
)

// CheckRequest says what in a request does not go with the network that it asks for. It is asked before the image's part is merged
// in: the ports that an image exposes are in nobody's way.
func CheckRequest(c *types.Config, h *types.HostConfig) error {
	if h.UTSMode.IsHost() && c.Hostname != "" {
		return invalidf("conflicting options: hostname and the UTS mode")
	}
	if h.NetworkMode.IsHost() && len(h.Links) > 0 {
		return invalidf("conflicting options: host type networking can't be used with links. This would result in undefined behavior")
	}
	if !h.NetworkMode.IsContainer() {
		return nil
	}
	switch {
	case h.NetworkMode.ConnectedContainer() == "":
		return invalidf("invalid network mode: invalid container format container:<name|id>")
	case c.Hostname != "":
		return invalidf("conflicting options: hostname and the network mode")
	case len(h.Links) > 0:
		return invalidf("conflicting options: container type network can't be used with links. This would result in undefined behavior")
	case len(h.DNS) > 0:
		return invalidf("conflicting options: dns and the network mode")
	case len(h.ExtraHosts) > 0:
		return invalidf("conflicting options: custom host-to-IP mapping and the network mode")
	case len(h.PortBindings) > 0 || h.PublishAllPorts:
		return invalidf("conflicting options: port publishing and the container type network mode")
	case len(c.ExposedPorts) > 0:
		return invalidf("conflicting options: port exposing and the container type network mode")
	}
	return nil
}
