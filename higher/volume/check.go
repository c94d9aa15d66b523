package volume

import (
	"path"
	"path/filepath"
	"slices"

	types "github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/mount"
)

// Check checks what a client says of mounts before anything is made for it.
func Check(h *types.HostConfig) error {
	for _, raw := range h.VolumesFrom {
		if _, _, err := parseVolumesFrom(raw); err != nil {
			return err
		}
	}
	for _, raw := range h.Binds {
		if _, _, err := parseBind(raw, h.VolumeDriver); err != nil {
			return err
		}
	}
	for i := range h.Mounts {
		m := &h.Mounts[i]
		if err := checkMount(m); err != nil {
			return err
		}
		if m.Type == mount.TypeBind && !makesSource(m) {
			if err := sourceExists(path.Clean(m.Source)); err != nil {
				return err
			}
		}
	}
	return nil
}

// makesSource says whether a source that is not there is made.
func makesSource(m *mount.Mount) bool { return m.BindOptions != nil && m.BindOptions.CreateMountpoint }

// checkMount checks an item of HostConfig.Mounts, but not whether a source exists.
func checkMount(m *mount.Mount) error {
	if problem := mountProblem(m); problem != nil {
		return invalidf("invalid mount config for type %q: %v", m.Type, problem)
	}
	return nil
}

func mountProblem(m *mount.Mount) error {
	for _, o := range [...]struct {
		name  string
		given bool
		of    mount.Type
	}{
		{"BindOptions", m.BindOptions != nil, mount.TypeBind},
		{"VolumeOptions", m.VolumeOptions != nil, mount.TypeVolume},
		{"ImageOptions", m.ImageOptions != nil, mount.TypeImage},
		{"TmpfsOptions", m.TmpfsOptions != nil, mount.TypeTmpfs},
		{"ClusterOptions", m.ClusterOptions != nil, mount.TypeCluster},
	} {
		if o.given && m.Type != o.of {
			return invalidf("field %s must not be specified", o.name)
		}
	}
	if m.Target == "" {
		return invalidf("field Target must not be empty")
	}
	if err := CheckDestination(m.Target); err != nil {
		return err
	}
	switch m.Type {
	case mount.TypeBind:
		return bindProblem(m)
	case mount.TypeVolume:
		return volumeProblem(m)
	case mount.TypeTmpfs:
		if m.Source != "" {
			return invalidf("field Source must not be specified")
		}
		_, err := tmpfsOptions(m)
		return err
	case mount.TypeImage:
		return imageProblem(m)
	default:
		return invalidf("mount type unknown")
	}
}

// CheckDestination checks the place of a mount in the container.
func CheckDestination(p string) error {
	switch {
	case path.Clean(p) == "/":
		return invalidf("invalid specification: destination can't be '/'")
	case !path.IsAbs(p):
		return invalidf("invalid mount path: '%s' mount path must be absolute", p)
	}
	return nil
}

func bindProblem(m *mount.Mount) error {
	o := m.BindOptions
	if o == nil {
		o = &mount.BindOptions{}
	}
	switch {
	case m.Source == "":
		return invalidf("field Source must not be empty")
	case o.Propagation != "" && !slices.Contains(mount.Propagations, o.Propagation):
		return invalidf("invalid propagation mode: %s", o.Propagation)
	case !path.IsAbs(m.Source):
		return invalidf("invalid mount path: '%s' mount path must be absolute", m.Source)
	case !m.ReadOnly && o.ReadOnlyNonRecursive:
		return invalidf("mount options conflict: !ReadOnly && BindOptions.ReadOnlyNonRecursive")
	case !m.ReadOnly && o.ReadOnlyForceRecursive:
		return invalidf("mount options conflict: !ReadOnly && BindOptions.ReadOnlyForceRecursive")
	case o.ReadOnlyNonRecursive && o.ReadOnlyForceRecursive:
		return invalidf("mount options conflict: ReadOnlyNonRecursive && BindOptions.ReadOnlyForceRecursive")
	}
	return nil
}

func volumeProblem(m *mount.Mount) error {
	if m.VolumeOptions == nil || m.VolumeOptions.Subpath == "" {
		return nil
	}
	if m.Source == "" {
		return invalidf("must not set Subpath when using anonymous volumes")
	}
	if !filepath.IsLocal(m.VolumeOptions.Subpath) {
		return invalidf("subpath must be a relative path within the volume")
	}
	return nil
}

func imageProblem(m *mount.Mount) error {
	switch {
	case m.Source == "":
		return invalidf("field Source must not be empty")
	case m.ImageOptions != nil && m.ImageOptions.Subpath != "" && !filepath.IsLocal(m.ImageOptions.Subpath):
		return invalidf("subpath must be a relative path within the volume")
	}
	return nil
}
