package container

import (
	"os"
	"path"

	specs "github.com/opencontainers/runtime-spec/specs-go"

	"github.com/dhow-containers/dhow/spec"
)

// cgroupOwner is the user of the host that the container's control group is to be given to, false for none
// (config-linux.md, "Cgroup ownership"): the one that the container's process runs as, if the container has a
// cgroup namespace of its own and may write to its mount of the hierarchy.
func cgroupOwner(config *specs.Spec) (uint32, bool) {
	if config.Process == nil || !spec.NewNamespace(config, specs.CgroupNamespace) || !writableCgroups(config.Mounts) {
		return 0, false
	}
	uid, ok := hostUser(config, config.Process.User.UID)
	return uid, ok && int(uid) != os.Geteuid()
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
func hostUser(config *specs.Spec, uid uint32) (uint32, bool) {
	if spec.Namespace(config, specs.UserNamespace) == nil {
		return uid, true
	}
	return spec.HostID(config.Linux.UIDMappings, uid)
}
