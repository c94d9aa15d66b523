package oci

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/dhow-containers/dhow/spec"
	types "github.com/moby/moby/api/types/container"
)

// sysctls are those that every container gets, and those that were asked for. Where the network is not the container's
// own, others have set it up.
func (in *Input) sysctls() map[string]string {
	all, host := map[string]string{}, in.Defaults.Host
	if name := in.Config.Domainname; name != "" && !in.HostConfig.UTSMode.IsHost() {
		all["kernel.domainname"] = name
	}
	if in.ownNetwork() {
		if host.PingGroupRange {
			all["net.ipv4.ping_group_range"] = fmt.Sprintf("0 %d", in.lastGroup()) // everybody may ping
		}
		if host.UnprivilegedPorts {
			all["net.ipv4.ip_unprivileged_port_start"] = "0" // and listen on any port
		}
	}
	maps.Copy(all, in.HostConfig.Sysctls)
	return all
}

// lastGroup is the highest group that the kernel takes, which in a user namespace must be one that it has.
func (in *Input) lastGroup() uint32 {
	if !in.remapped() {
		return math.MaxInt32
	}
	gids := in.Defaults.IDs.GIDs
	last := gids[len(gids)-1]
	return last.ContainerID + last.Size - 1
}

// checkSysctls refuses kernel parameters that would be the host's.
func checkSysctls(h *types.HostConfig) error {
	for _, name := range slices.Sorted(maps.Keys(h.Sysctls)) {
		file, err := spec.SysctlFile(name)
		if err != nil {
			return invalidf("sysctl '%s' is not allowed: %v", name, err)
		}
		var shared bool
		switch spec.SysctlNamespace(file) {
		case "network":
			shared = h.NetworkMode.IsHost()
		case "ipc":
			shared = h.IpcMode.IsHost()
		case "uts":
			shared = h.UTSMode.IsHost()
		default:
			return invalidf("sysctl %q is not in a separate kernel namespace", name)
		}
		if shared {
			return invalidf("sysctl %q not allowed in host %s namespace", name, spec.SysctlNamespace(file))
		}
		if file == "kernel/hostname" {
			return invalidf("sysctl %q cannot be set, use --hostname", name)
		}
		if strings.ContainsAny(h.Sysctls[name], "\x00\n") {
			return invalidf("sysctl %q: the value %q is not one line", name, h.Sysctls[name])
		}
	}
	return nil
}
