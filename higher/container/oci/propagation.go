package oci

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/dhow-containers/dhow/higher/volume"
	"github.com/moby/moby/api/types/mount"
	"github.com/moby/sys/mountinfo"
)

// propagation is linux.rootfsPropagation as far as the mounts of a container want it: for what propagates out of a
// mount, or into it, its way to the host must not be cut above it.
type propagation string

// add takes a mount into account and returns the option for it. The source must lie on a mount that propagates.
func (p *propagation) add(m *volume.Mount) (string, error) {
	if m.Type == mount.TypeVolume { // what the host unmounts in it, containers shall not hold
		return string(mount.PropagationRSlave), nil
	}
	switch m.Propagation {
	case mount.PropagationShared, mount.PropagationRShared:
		if err := propagates(m.Source, "shared mount", "shared:"); err != nil {
			return "", err
		}
		*p = propagation(mount.PropagationShared)
	case mount.PropagationSlave, mount.PropagationRSlave:
		if err := propagates(m.Source, "shared or slave mount", "shared:", "master:"); err != nil {
			if m.OwnRoot {
				return string(mount.PropagationRPrivate), nil // nobody has asked for it
			}
			return "", err
		}
		if *p == "" {
			*p = propagation(mount.PropagationRSlave)
		}
	}
	if m.Propagation == "" {
		return string(mount.PropagationRPrivate), nil
	}
	return string(m.Propagation), nil
}

// propagates checks that a path lies on a mount with one of the tags of /proc/PID/mountinfo.
func propagates(path, what string, tags ...string) error {
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return err
	}
	m, err := mountOf(real)
	if err != nil {
		return err
	}
	for tag := range strings.SplitSeq(m.Optional, " ") {
		if slices.ContainsFunc(tags, func(want string) bool { return strings.HasPrefix(tag, want) }) {
			return nil
		}
	}
	return invalidf("path %s is mounted on %s but it is not a %s", path, m.Mountpoint, what)
}

// mountOf finds the mount that a path lies on: of the longest mount point, the one on top.
func mountOf(path string) (*mountinfo.Info, error) {
	list, err := mountinfo.GetMounts(mountinfo.ParentsFilter(path))
	if err != nil {
		return nil, fmt.Errorf("cannot find the mount of %s: %w", path, err)
	}
	var best *mountinfo.Info
	for _, m := range list {
		if best == nil || len(m.Mountpoint) >= len(best.Mountpoint) {
			best = m
		}
	}
	if best == nil {
		return nil, fmt.Errorf("cannot find the mount of %s", path)
	}
	return best, nil
}
