package oci

import (
	"slices"
	"strings"

	"github.com/dhow-containers/dhow/spec"
	"github.com/dhow-containers/dhow/spec/docker"
	types "github.com/moby/moby/api/types/container"
)

// allCapabilities stands for every one of them in --cap-add and --cap-drop.
const allCapabilities = "ALL"

// capabilities are the bounding, permitted and effective set of a container.
func capabilities(h *types.HostConfig, host *Facts) ([]string, error) {
	if h.Privileged {
		return slices.Clone(host.Capability), nil
	}
	add, err := capabilityNames(h.CapAdd, host)
	if err != nil {
		return nil, err
	}
	drop, err := capabilityNames(h.CapDrop, nil)
	if err != nil {
		return nil, err
	}
	var set []string
	switch {
	case slices.Contains(add, allCapabilities):
		set = without(host.Capability, drop)
	case slices.Contains(drop, allCapabilities):
		set = add
	default:
		set = append(without(docker.Capabilities(), drop), add...)
	}
	return unique(set), nil
}

// capabilityNames spells names out, "net_admin" as "CAP_NET_ADMIN". Those to add the daemon must have itself; host is nil
// for those to drop.
func capabilityNames(names []string, host *Facts) ([]string, error) {
	var all []string
	for _, name := range names {
		name = strings.ToUpper(name)
		if name == allCapabilities {
			all = append(all, name)
			continue
		}
		if !strings.HasPrefix(name, "CAP_") {
			name = "CAP_" + name
		}
		if _, known := spec.Capability(name); !known {
			return nil, invalidf("unknown capability: %q", name)
		}
		if host != nil && !host.can(name) {
			return nil, invalidf("capability not supported by your kernel or not available in the current environment: %q", name)
		}
		all = append(all, name)
	}
	return all, nil
}

func without(list, drop []string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(s string) bool { return slices.Contains(drop, s) })
}

// unique keeps the first of each.
func unique(list []string) []string {
	all := []string{}
	for _, s := range list {
		if !slices.Contains(all, s) {
			all = append(all, s)
		}
	}
	return all
}
