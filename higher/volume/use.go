package volume

import (
	"context"
	"path"
	"slices"
	"strings"

	types "github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/mount"
	"github.com/moby/moby/api/types/volume"
)

// plan is a mount that a container is to have; a volume has yet to be made.
type plan struct {
	Mount
	create *volume.CreateRequest // nil if there is nothing to make
}

// plans are by destination: what comes later takes the place of what came before, but nothing may be asked for twice.
type plans struct {
	at    map[string]plan
	asked map[string]bool
}

// Use decides what a new container has mounted: by --volumes-from (from returns another container's), -v, --mount, and
// VOLUME. Volumes that are not there are made. What --tmpfs says stays in the HostConfig. After an error the container uses
// nothing, and volumes that were made without a name for it are removed.
func (m *Manager) Use(_ context.Context, container string, c *types.Config, h *types.HostConfig, from func(name string) ([]Mount, error)) ([]Mount, error) {
	p := plans{at: map[string]plan{}, asked: map[string]bool{}}
	for _, step := range []func() error{
		func() error { return p.addVolumesFrom(h, from) },
		func() error { return m.addBinds(&p, h) },
		func() error { return m.addMounts(&p, h) },
	} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	if err := p.addDeclared(c, h); err != nil {
		return nil, err
	}
	return m.realize(container, p.sorted())
}

// realize makes the volumes.
func (m *Manager) realize(container string, all []plan) ([]Mount, error) {
	mounts, made := []Mount{}, []Mount{}
	for _, p := range all {
		if p.create != nil {
			e, err := m.make(p.create, container)
			if err != nil {
				m.release(container, mounts)
				m.undo(made)
				return nil, err
			}
			p.Name, p.Source = e.Name, m.data(e.Name)
			if p.Anonymous {
				made = append(made, p.Mount)
			}
		}
		mounts = append(mounts, p.Mount)
	}
	return mounts, nil
}

// undo removes the anonymous volumes of a container that is not made after all.
func (m *Manager) undo(made []Mount) {
	for _, mount := range made {
		if err := m.remove(mount.Name); err != nil {
			m.log.Warn("cannot remove a volume that nobody uses", "volume", mount.Name, "error", err)
		}
	}
}

// add puts a mount that somebody asked for in its place.
func (p *plans) add(new plan, asked string) error {
	if p.asked[new.Destination] {
		return invalidf("Duplicate mount point: %s", asked)
	}
	p.asked[new.Destination] = true
	p.at[new.Destination] = new
	return nil
}

// sorted is in the order in which they are mounted: what is further up comes first.
func (p *plans) sorted() []plan {
	var all []plan
	for _, one := range p.at {
		all = append(all, one)
	}
	slices.SortFunc(all, func(a, b plan) int {
		if d := strings.Count(a.Destination, "/") - strings.Count(b.Destination, "/"); d != 0 {
			return d
		}
		return strings.Compare(a.Destination, b.Destination)
	})
	return all
}

func (p *plans) addVolumesFrom(h *types.HostConfig, from func(string) ([]Mount, error)) error {
	for _, raw := range h.VolumesFrom {
		name, readOnly, err := parseVolumesFrom(raw)
		if err != nil {
			return err
		}
		mounts, err := from(name)
		if err != nil {
			return invalidf("%v", err) // not found would be taken for the image
		}
		for _, one := range mounts {
			one.RW = one.RW && !readOnly
			one.Mode, one.NoCopy = "", true
			p.at[one.Destination] = withVolume(one, nil)
		}
	}
	return nil
}

// withVolume is a plan to use a volume, if the mount is one.
func withVolume(one Mount, o *mount.VolumeOptions) plan {
	if one.Type != mount.TypeVolume {
		return plan{Mount: one}
	}
	r := &volume.CreateRequest{Name: one.Name, Driver: one.Driver}
	if o != nil {
		r.Labels = o.Labels
		if o.DriverConfig != nil {
			r.Driver, r.DriverOpts = o.DriverConfig.Name, o.DriverConfig.Options
		}
	}
	one.Driver = driver
	return plan{Mount: one, create: r}
}

func (m *Manager) addBinds(p *plans, h *types.HostConfig) error {
	for _, raw := range h.Binds {
		spec, mode, err := parseBind(raw, h.VolumeDriver)
		if err != nil {
			return err
		}
		one, err := m.fromSpec(&spec)
		if err != nil {
			return err
		}
		one.Mode = mode
		one.MakeSource = spec.Type == mount.TypeBind
		if _, taken := h.Tmpfs[one.Destination]; taken {
			return invalidf("Duplicate mount point: %s", one.Destination)
		}
		if one.Type == mount.TypeVolume && mode == "" {
			one.Mode = "z"
		}
		if err := p.add(withVolume(one, spec.VolumeOptions), one.Destination); err != nil {
			return err
		}
	}
	return nil
}

func (m *Manager) addMounts(p *plans, h *types.HostConfig) error {
	for i := range h.Mounts {
		spec := &h.Mounts[i]
		if err := checkMount(spec); err != nil {
			return err
		}
		one, err := m.fromSpec(spec)
		if err != nil {
			return err
		}
		switch spec.Type {
		case mount.TypeBind:
			one.MakeSource = makesSource(spec)
			if !one.MakeSource {
				if err := sourceExists(one.Source); err != nil {
					return err
				}
			}
		case mount.TypeVolume:
			one.Mode = "z"
		}
		if err := p.add(withVolume(one, spec.VolumeOptions), spec.Target); err != nil {
			return err
		}
	}
	return nil
}

// addDeclared adds the volumes of VOLUME and of -v with nothing but a destination.
func (p *plans) addDeclared(c *types.Config, h *types.HostConfig) error {
	for raw := range c.Volumes {
		destination := path.Clean(raw)
		if err := CheckDestination(destination); err != nil {
			return invalidf("invalid volume specification: '%s': %v", raw, err)
		}
		if _, taken := p.at[destination]; taken {
			continue
		}
		if _, taken := h.Tmpfs[destination]; taken {
			continue
		}
		one := Mount{Type: mount.TypeVolume, Destination: destination, RW: true, Anonymous: true}
		new := withVolume(one, nil)
		new.create.Driver = h.VolumeDriver
		p.at[destination] = new
	}
	return nil
}

// fromSpec makes a mount of what has been checked.
func (m *Manager) fromSpec(spec *mount.Mount) (Mount, error) {
	one := Mount{Type: spec.Type, Destination: path.Clean(spec.Target), RW: !spec.ReadOnly}
	switch spec.Type {
	case mount.TypeVolume:
		one.Name, one.Anonymous = spec.Source, spec.Source == ""
		if o := spec.VolumeOptions; o != nil {
			one.NoCopy, one.Subpath = o.NoCopy, o.Subpath
		}
	case mount.TypeImage: // the container finds it
		one.Image, one.RW, one.Propagation = spec.Source, false, mount.PropagationRPrivate
		if o := spec.ImageOptions; o != nil {
			one.Subpath = o.Subpath
		}
	case mount.TypeTmpfs:
		var err error
		if one.Options, err = tmpfsOptions(spec); err != nil {
			return one, err
		}
	case mount.TypeBind:
		one.Source, one.Propagation = path.Clean(spec.Source), mount.PropagationRPrivate
		if o := spec.BindOptions; o != nil {
			one.NonRecursive, one.ReadOnlyNonRecursive, one.ReadOnlyForceRecursive = o.NonRecursive, o.ReadOnlyNonRecursive, o.ReadOnlyForceRecursive
			if o.Propagation != "" {
				one.Propagation = o.Propagation
			}
		}
		return one, m.aroundDataRoot(spec, &one)
	}
	return one, nil
}

// aroundDataRoot has what is unmounted in the engine's own directory be unmounted in containers, too, that have bound
// it, or something that it is in.
func (m *Manager) aroundDataRoot(spec *mount.Mount, one *Mount) error {
	root := m.options.DataRoot
	if root == "" || !within(one.Source, root) && !within(root, one.Source) {
		return nil
	}
	if spec.BindOptions == nil || spec.BindOptions.Propagation == "" {
		one.Propagation, one.OwnRoot = mount.PropagationRSlave, true
		return nil
	}
	switch p := spec.BindOptions.Propagation; p {
	case mount.PropagationRSlave, mount.PropagationRShared:
		return nil
	default:
		return invalidf(`invalid mount config: must use either propagation mode "rslave" or "rshared" when mount source is within the daemon root, daemon root: %q, bind mount source: %q, propagation: %q`, root, spec.Source, p)
	}
}

// within says whether a path is another or below it.
func within(p, dir string) bool {
	return p == dir || strings.HasPrefix(p, strings.TrimSuffix(dir, "/")+"/")
}
