package oci

import (
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// namespaces are those of a container: new ones, those of another container, or the host's, which are not listed.
func (in *Input) namespaces() []specs.LinuxNamespace {
	h := in.HostConfig
	all := []specs.LinuxNamespace{{Type: specs.MountNamespace}}
	add := func(kind specs.LinuxNamespaceType, path string) {
		all = append(all, specs.LinuxNamespace{Type: kind, Path: path})
	}
	if in.remapped() {
		add(specs.UserNamespace, in.UserNS)
	}
	if in.Config.NetworkDisabled || !h.NetworkMode.IsHost() {
		add(specs.NetworkNamespace, in.NetNS)
	}
	if !h.UTSMode.IsHost() {
		add(specs.UTSNamespace, "")
	}
	if !h.PidMode.IsHost() {
		add(specs.PIDNamespace, in.PidNS)
	}
	if !h.IpcMode.IsHost() {
		add(specs.IPCNamespace, in.IpcNS)
	}
	if h.CgroupnsMode.IsPrivate() && in.Defaults.Host.CgroupNS {
		add(specs.CgroupNamespace, "")
	}
	return all
}

// remapped says whether the container has a user namespace.
func (in *Input) remapped() bool {
	return in.Defaults.remapped() && in.HostConfig.UsernsMode.IsPrivate()
}

// ownNetwork says whether the container has a network namespace that is new.
func (in *Input) ownNetwork() bool {
	return in.Config.NetworkDisabled || in.HostConfig.NetworkMode.IsPrivate()
}
