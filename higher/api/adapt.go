package api

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/mount"
	"github.com/moby/moby/api/types/network"
)

// legacyCreate has the fields of a create request that today's types have no more.
type legacyCreate struct {
	MacAddress network.HardwareAddr
	HostConfig struct{ Capabilities []string }
}

// endpointSysctls is the driver option of an endpoint that sets its interface's sysctls.
const endpointSysctls = "com.docker.network.endpoint.sysctls"

// adaptCreate makes of a request in an older version what it would be in the newest: fields that the version did not
// know are dropped or refused, as Docker does, and old defaults are spelled out.
func adaptCreate(c *container.CreateRequest, old *legacyCreate, v Version) (warnings []string, err error) {
	h, n := c.HostConfig, c.NetworkingConfig
	if h.NetworkMode == "" || h.NetworkMode.IsDefault() {
		h.NetworkMode = network.NetworkBridge
		if e, ok := n.EndpointsConfig[network.NetworkDefault]; ok {
			n.EndpointsConfig[network.NetworkBridge] = e
			delete(n.EndpointsConfig, network.NetworkDefault)
		}
	}
	if len(old.HostConfig.Capabilities) > 0 && v == 40 {
		return nil, invalidf("the HostConfig.Capabilities field is not supported by this daemon; use CapAdd and CapDrop to set capabilities")
	}
	if v < 42 {
		h.ConsoleSize = [2]uint{}
	}
	if v < 43 {
		h.Annotations = nil
	}
	if v < 44 {
		if c.Healthcheck != nil {
			c.Healthcheck.StartInterval = 0
		}
		if len(n.EndpointsConfig) > 1 {
			return nil, invalidf("Container cannot be created with multiple network endpoints: %s", strings.Join(names(n.EndpointsConfig), ", "))
		}
	}
	if v < 48 {
		for _, e := range n.EndpointsConfig {
			if e != nil {
				e.GwPriority = 0
			}
		}
	}
	if err := adaptMounts(h, v); err != nil {
		return nil, err
	}
	for _, adapt := range []func(*container.CreateRequest, *legacyCreate, Version) (string, error){adaptVolumeDriver, adaptMAC, adaptSysctls, adaptPorts} {
		warning, err := adapt(c, old, v)
		if err != nil {
			return nil, err
		}
		if warning != "" {
			warnings = append(warnings, warning)
		}
	}
	if v < 56 {
		h.Umask = nil
	}
	if h.PidsLimit != nil && *h.PidsLimit <= 0 {
		h.PidsLimit = nil
	}
	return warnings, nil
}

func names(endpoints map[string]*network.EndpointSettings) []string {
	var all []string
	for name := range endpoints {
		all = append(all, name)
	}
	slices.Sort(all)
	return all
}

// adaptMounts checks and adapts HostConfig.Mounts.
func adaptMounts(h *container.HostConfig, v Version) error {
	for i := range h.Mounts {
		m := &h.Mounts[i]
		if v < 42 {
			if m.Type != mount.TypeVolume {
				m.VolumeOptions = nil
			}
			if m.Type != mount.TypeTmpfs {
				m.TmpfsOptions = nil
			}
			if m.BindOptions != nil {
				m.BindOptions.CreateMountpoint = false
			}
		}
		switch {
		case m.VolumeOptions != nil && m.Type != mount.TypeVolume:
			return invalidf("VolumeOptions must not be specified on mount type %q", m.Type)
		case m.BindOptions != nil && m.Type != mount.TypeBind:
			return invalidf("BindOptions must not be specified on mount type %q", m.Type)
		case m.TmpfsOptions != nil && m.Type != mount.TypeTmpfs:
			return invalidf("TmpfsOptions must not be specified on mount type %q", m.Type)
		case v < 44 && m.BindOptions != nil && m.BindOptions.ReadOnlyForceRecursive:
			return invalidf("BindOptions.ReadOnlyForceRecursive needs API v1.44 or newer")
		case v < 45 && m.VolumeOptions != nil && m.VolumeOptions.Subpath != "":
			return invalidf("VolumeOptions.Subpath needs API v1.45 or newer")
		case v < 48 && m.Type == mount.TypeImage:
			return invalidf(`Mount type "Image" needs API v1.48 or newer`)
		}
		if v < 44 && m.Type == mount.TypeBind && m.ReadOnly {
			if m.BindOptions == nil {
				m.BindOptions = &mount.BindOptions{}
			}
			m.BindOptions.ReadOnlyNonRecursive = true // read-only mounts were not recursive before
		}
	}
	return nil
}

// mainEndpoint finds or makes the settings of the endpoint in the network that NetworkMode names.
func mainEndpoint(c *container.CreateRequest, v Version) (*network.EndpointSettings, error) {
	n, mode := c.NetworkingConfig, string(c.HostConfig.NetworkMode)
	if len(n.EndpointsConfig) == 0 {
		n.EndpointsConfig = map[string]*network.EndpointSettings{mode: {}}
	}
	for name, e := range n.EndpointsConfig {
		if name == mode || v < 44 {
			if e == nil {
				e = &network.EndpointSettings{}
				n.EndpointsConfig[name] = e
			}
			return e, nil
		}
	}
	return nil, invalidf("HostConfig.NetworkMode must match the identity of a network in NetworkSettings.Networks")
}

// adaptVolumeDriver warns of a driver for volumes that says nothing about those of HostConfig.Mounts.
func adaptVolumeDriver(c *container.CreateRequest, _ *legacyCreate, v Version) (warning string, err error) {
	if c.HostConfig.VolumeDriver == "" || v < 48 {
		return "", nil
	}
	for _, m := range c.HostConfig.Mounts {
		named := m.VolumeOptions != nil && m.VolumeOptions.DriverConfig != nil && m.VolumeOptions.DriverConfig.Name != ""
		if m.Type == mount.TypeVolume && !named {
			return "WARNING: the container-wide volume-driver configuration is ignored for volumes specified via 'mount'. Use '--mount type=volume,volume-driver=...' instead", nil
		}
	}
	return "", nil
}

// adaptMAC moves the container's MAC address of before 1.44 to its endpoint.
func adaptMAC(c *container.CreateRequest, old *legacyCreate, v Version) (warning string, err error) {
	mode := c.HostConfig.NetworkMode
	switch {
	case v < 44 && len(old.MacAddress) == 0:
		for _, e := range c.NetworkingConfig.EndpointsConfig {
			if e != nil {
				e.MacAddress = nil // which the version did not know
			}
		}
		return "", nil
	case len(old.MacAddress) == 0:
		return "", nil
	case v >= 52:
		return "", invalidf("container-wide MAC address no longer supported; use endpoint-specific MAC address instead")
	case v < 44 && !mode.IsBridge() && !mode.IsUserDefined():
		return "", invalidf("conflicting options: mac-address and the network mode")
	}
	if mode.IsBridge() || mode.IsUserDefined() {
		e, err := mainEndpoint(c, v)
		if err != nil {
			return "", err
		}
		if v >= 44 && len(e.MacAddress) != 0 && !bytes.Equal(e.MacAddress, old.MacAddress) {
			return "", invalidf("the container-wide MAC address must match the endpoint-specific MAC address for the main network, or be left empty")
		}
		e.MacAddress = old.MacAddress
	}
	if v < 44 {
		return "", nil
	}
	return "The container-wide MacAddress field is now deprecated. It should be specified in EndpointsConfig instead.", nil
}

// adaptSysctls moves sysctls of eth0 to the endpoint that has it: the interface is not there when the container's
// other sysctls are set.
func adaptSysctls(c *container.CreateRequest, _ *legacyCreate, v Version) (warning string, err error) {
	if !c.HostConfig.NetworkMode.IsPrivate() {
		return "", nil
	}
	var moved, settings []string
	for key := range c.HostConfig.Sysctls {
		if part := strings.SplitN(key, ".", 5); len(part) == 5 && part[0] == "net" && strings.HasPrefix(part[3], "eth") {
			switch {
			case v >= 48:
				return "", invalidf("interface specific sysctl setting %q must be supplied using driver option '%s'", key, endpointSysctls)
			case part[3] != "eth0":
				return "", invalidf("unable to determine network endpoint for sysctl %s, use driver option '%s' to set per-interface sysctls", key, endpointSysctls)
			}
			moved = append(moved, key)
		}
	}
	if moved == nil {
		return "", nil
	}
	e, err := mainEndpoint(c, v)
	if err != nil {
		return "", fmt.Errorf("unable to find a network for sysctl %s: %w", moved[0], err)
	}
	slices.Sort(moved)
	for _, key := range moved {
		part := strings.SplitN(key, ".", 5)
		settings = append(settings, fmt.Sprintf("net.%s.%s.IFNAME.%s=%s", part[1], part[2], part[4], c.HostConfig.Sysctls[key]))
		delete(c.HostConfig.Sysctls, key)
	}
	warning = fmt.Sprintf("Migrated sysctl %q to DriverOpts{%q:%q}.", strings.Join(moved, ","), endpointSysctls, strings.Join(settings, ","))
	if given, ok := e.DriverOpts[endpointSysctls]; ok {
		settings = append(settings, given) // what the endpoint itself asks for comes last, and so wins
	}
	if e.DriverOpts == nil {
		e.DriverOpts = map[string]string{}
	}
	e.DriverOpts[endpointSysctls] = strings.Join(settings, ",")
	return warning, nil
}

// adaptPorts takes an empty list of bindings for one to a port of the engine's choice.
func adaptPorts(c *container.CreateRequest, _ *legacyCreate, v Version) (warning string, err error) {
	var filled []string
	for port, bindings := range c.HostConfig.PortBindings {
		if len(bindings) == 0 {
			c.HostConfig.PortBindings[port] = []network.PortBinding{{}}
			filled = append(filled, port.String())
		}
	}
	if filled == nil || v < 52 {
		return "", nil
	}
	slices.Sort(filled)
	return fmt.Sprintf("Following container port(s) have an empty list of port-bindings: %s. Such bindings will be discarded in a future version.", strings.Join(filled, ", ")), nil
}
