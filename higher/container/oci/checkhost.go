package oci

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/dhow-containers/dhow/higher/config"
	"github.com/dhow-containers/dhow/higher/volume"
	types "github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"
)

// checkHostConfig checks what depends neither on the host nor on the daemon.
func checkHostConfig(h *types.HostConfig) error {
	if h.RestartPolicy.Name == "" {
		h.RestartPolicy.Name = types.RestartPolicyDisabled
	}
	if h.AutoRemove && !h.RestartPolicy.IsNone() {
		return invalidf("can't create 'AutoRemove' container with restart policy")
	}
	if err := types.ValidateRestartPolicy(h.RestartPolicy); err != nil {
		return invalidf("%v", err)
	}
	if _, ok := h.Annotations[""]; ok {
		return invalidf("invalid Annotations: the empty string is not permitted as an annotation key")
	}
	for _, check := range []func(*types.HostConfig) error{
		checkExtraHosts, checkPorts, checkUlimits, checkDevices, checkTmpfs, volume.Check, checkUnsupported,
	} {
		if err := check(h); err != nil {
			return err
		}
	}
	return nil
}

func checkExtraHosts(h *types.HostConfig) error {
	for _, extra := range h.ExtraHosts {
		name, ip, ok := strings.Cut(extra, ":")
		if !ok || name == "" {
			return invalidf("bad format for add-host: %q", extra)
		}
		if ip == "host-gateway" {
			continue
		}
		if _, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(ip, "["), "]")); err != nil {
			return invalidf("invalid IP address in add-host: %q", ip)
		}
	}
	return nil
}

func checkPorts(h *types.HostConfig) error {
	for port, bindings := range h.PortBindings {
		if !port.IsValid() || port.Num() == 0 {
			return invalidf("invalid port specification: %q", port.String())
		}
		for _, b := range bindings {
			if b.HostPort == "" {
				continue
			}
			if _, err := network.ParsePortRange(b.HostPort); err != nil {
				return invalidf("invalid port specification: %q", b.HostPort)
			}
		}
	}
	return nil
}

func checkTmpfs(h *types.HostConfig) error {
	for destination, options := range h.Tmpfs {
		if err := volume.CheckDestination(destination); err != nil {
			return err
		}
		if _, err := tmpfs(destination, strings.Split(options, ",")); err != nil {
			return err
		}
	}
	return nil
}

// checkUnsupported refuses fields that this engine, or Docker on Linux, has nothing for.
func checkUnsupported(h *types.HostConfig) error {
	switch {
	case h.CPUCount != 0:
		return invalidf("--cpu-count is for Windows")
	case h.IOMaximumBandwidth != 0 || h.IOMaximumIOps != 0:
		return invalidf("Invalid QoS settings: linux does not support Maximum IO Bandwidth or Maximum IO IOps")
	case !h.Isolation.IsDefault():
		return invalidf("invalid isolation (%s): linux only supports 'default'", h.Isolation)
	case len(h.StorageOpt) > 0:
		// What dockerd says where there are no project quotas. With containerd's snapshotters it ignores them.
		return invalidf("--storage-opt is supported only for overlay over xfs with 'pquota' mount option")
	case h.Cgroup != "":
		return invalidf("cannot use the control group of another container (%s): not supported by this engine", h.Cgroup)
	case h.Umask != nil && *h.Umask > 0o777:
		return invalidf("invalid umask %#o", *h.Umask)
	}
	return nil
}

// checkModes checks namespaces, and what needs one of the container's own.
func checkModes(h *types.HostConfig, d *Defaults) error {
	switch {
	case !h.IpcMode.Valid():
		return invalidf("invalid IPC mode: %v", h.IpcMode)
	case !h.PidMode.Valid():
		return invalidf("invalid PID mode: %v", h.PidMode)
	case h.ShmSize < 0:
		return invalidf("SHM size can not be less than 0")
	case !h.UTSMode.Valid():
		return invalidf("invalid UTS mode: %v", h.UTSMode)
	case !h.UsernsMode.Valid():
		return invalidf("invalid user namespace mode: %v", h.UsernsMode)
	case !h.CgroupnsMode.Valid():
		return invalidf("invalid cgroup namespace mode: %v", h.CgroupnsMode)
	case h.OomScoreAdj < -1000 || h.OomScoreAdj > 1000:
		return invalidf("Invalid value %d, range for oom score adj is [-1000, 1000]", h.OomScoreAdj)
	}
	if err := checkRemapped(h, d); err != nil {
		return err
	}
	if h.CgroupParent != "" && d.SystemdCgroup {
		if err := checkSlice(h.CgroupParent); err != nil {
			return err
		}
	}
	if slices.Contains(strings.Split(h.CgroupParent, "/"), "..") {
		return invalidf("cgroup-parent %q leads out of the tree of control groups", h.CgroupParent)
	}
	if err := checkSysctls(h); err != nil {
		return err
	}
	if _, err := capabilityNames(h.CapAdd, d.Host); err != nil {
		return invalidf("invalid CapAdd: %v", err)
	}
	if _, err := capabilityNames(h.CapDrop, nil); err != nil {
		return invalidf("invalid CapDrop: %v", err)
	}
	return nil
}

// checkRemapped refuses what a user namespace does not allow.
func checkRemapped(h *types.HostConfig, d *Defaults) error {
	if !d.remapped() || !h.UsernsMode.IsPrivate() {
		return nil
	}
	switch {
	case h.Privileged:
		return invalidf("privileged mode is incompatible with user namespaces.  You must run the container in the host namespace when running privileged mode")
	case h.NetworkMode.IsHost():
		return invalidf("cannot share the host's network namespace when user namespaces are enabled")
	case h.PidMode.IsHost():
		return invalidf("cannot share the host PID namespace when user namespaces are enabled")
	}
	return nil
}

// checkRuntime refuses a runtime that is not there.
func checkRuntime(h *types.HostConfig, d *Defaults) error {
	if h.Runtime == "" {
		h.Runtime = d.Runtime
	}
	if _, added := d.Runtimes[h.Runtime]; !added && !config.IsOurRuntime(h.Runtime, d.Runtimes) {
		return invalidf("unknown or invalid runtime name: %s", h.Runtime)
	}
	return nil
}
