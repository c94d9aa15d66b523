package container

import (
	"os"
	"path"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// cgroupOwner is the user of the host that the container's control group is to be given to, false for none
// (config-linux.md, "Cgroup ownership"): the one that the container's process runs as, if the container has a
// cgroup namespace of its own and may write to its mount of the hierarchy.
func cgroupOwner(config *specs.Spec) (uint32, bool) {
	if config.Linux == nil || config.Process == nil || !ownCgroupNamespace(config.Linux) || !writableCgroups(config.Mounts) {
		return 0, false
	}
	uid, ok := hostUser(config.Linux, config.Process.User.UID)
	return uid, ok && int(uid) != os.Geteuid()
}

func ownCgroupNamespace(l *specs.Linux) bool {
	for _, n := range l.Namespaces {
		if n.Type == specs.CgroupNamespace {
			return n.Path == ""
		}
	}
	return false
}

func writableCgroups(mounts []specs.Mount) bool {
	for i := range mounts {
		m := &mounts[i]
		if m.Source == "cgroup" && path.Clean(m.Destination) == "/sys/fs/cgroup" && !readOnly(m.Options) {
			return true
		}
	}
	return false
}

func readOnly(options []string) bool {
	ro := false
	for _, o := range options {
		switch o {
		case "ro", "rro":
			ro = true
		case "rw", "rrw":
			ro = false
		}
	}
	return ro
}

// hostUser is what a user of the container is outside of it; false for one without a mapping.
func hostUser(l *specs.Linux, uid uint32) (uint32, bool) {
	inside := false
	for _, n := range l.Namespaces {
		inside = inside || n.Type == specs.UserNamespace
	}
	if !inside {
		return uid, true
	}
	for _, m := range l.UIDMappings {
		if uid >= m.ContainerID && uid-m.ContainerID < m.Size {
			return m.HostID + (uid - m.ContainerID), true
		}
	}
	return 0, false
}
