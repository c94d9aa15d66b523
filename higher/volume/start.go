package volume

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"syscall"

	"github.com/containerd/errdefs"
	"github.com/dhow-containers/dhow/higher/api"
	"github.com/moby/moby/api/types/events"
	"github.com/moby/moby/api/types/mount"
	"golang.org/x/sys/unix"
)

// Mount makes the sources of a container's mounts ready for a start: directories of the host that -v names and that are
// not there are made, volumes with a device are mounted. It returns the mounts with the sources to use this time, which
// are good until Unmount, and not for another process than this one's children.
func (m *Manager) Mount(_ context.Context, container string, mounts []Mount) ([]Mount, error) {
	m.closeOpened(container)
	ready := slices.Clone(mounts)
	for i := range ready {
		if err := m.mountOne(container, &ready[i]); err != nil {
			return nil, errors.Join(err, m.unmount(container, mounts, false))
		}
	}
	for i := range ready {
		if ready[i].Type == mount.TypeVolume {
			m.emit(events.ActionMount, ready[i].Name, mountAttributes(container, &ready[i]))
		}
	}
	return ready, nil
}

func (m *Manager) mountOne(container string, p *Mount) error {
	switch p.Type {
	case mount.TypeBind:
		return m.checkSource(p)
	case mount.TypeVolume:
		if err := m.enter(container, p.Name); err != nil {
			return err
		}
		if p.Source = m.data(p.Name); p.Subpath == "" {
			return nil
		}
		dir, err := openSubpath(p.Source, p.Subpath, unix.O_PATH)
		if err != nil {
			return err
		}
		m.mu.Lock()
		defer m.mu.Unlock()
		m.opened[container] = append(m.opened[container], dir)
		p.Source = fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), dir.Fd())
	}
	return nil
}

// checkSource makes or misses a directory of the host.
func (m *Manager) checkSource(p *Mount) error {
	if !p.MakeSource {
		return sourceExists(p.Source)
	}
	err := m.makeAll(p.Source)
	if err != nil && !errors.Is(err, syscall.ENOTDIR) {
		return fmt.Errorf("error while creating mount source path '%s': %w", p.Source, err)
	}
	return nil
}

// sourceExists is for binds of --mount, which make nothing.
func sourceExists(path string) error {
	switch _, err := os.Stat(path); {
	case errors.Is(err, fs.ErrNotExist):
		return invalidf(`invalid mount config for type "bind": bind source path does not exist: %s`, path)
	case err != nil:
		return invalidf(`invalid mount config for type "bind": %v`, err)
	}
	return nil
}

// enter notes that a container runs with a volume, of which the device, if it has one, is mounted then.
func (m *Manager) enter(container, name string) error {
	m.mu.Lock()
	e, err := m.find(name)
	m.mu.Unlock()
	if err != nil {
		return err
	}
	e.disk.Lock()
	defer e.disk.Unlock()
	if err := m.attach(e); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	e.active[container] = true
	return nil
}

// leave is enter's reverse.
func (m *Manager) leave(container, name string) error {
	m.mu.Lock()
	e, err := m.find(name)
	m.mu.Unlock()
	if err != nil {
		return nil
	}
	e.disk.Lock()
	defer e.disk.Unlock()
	m.mu.Lock()
	delete(e.active, container)
	last := len(e.active) == 0
	m.mu.Unlock()
	if !last {
		return nil
	}
	return m.detach(e)
}

// Unmount is called when a container has ended, or did not start after Mount. It may be called twice.
func (m *Manager) Unmount(_ context.Context, container string, mounts []Mount) error {
	return m.unmount(container, mounts, true)
}

func (m *Manager) unmount(container string, mounts []Mount, tell bool) error {
	m.closeOpened(container)
	was := map[string]bool{}
	m.mu.Lock()
	for _, p := range mounts {
		if e := m.volumes[p.Name]; e != nil {
			was[p.Name] = e.active[container]
		}
	}
	m.mu.Unlock()
	var all error
	for _, name := range slices.Sorted(maps.Keys(was)) {
		if err := m.leave(container, name); err != nil {
			all = errors.Join(all, err)
		} else if was[name] && tell {
			m.emit(events.ActionUnmount, name, map[string]string{"driver": driver, "container": container})
		}
	}
	return all
}

// closeOpened closes what Mount has opened for a container: the mounts themselves hold it from when they are made.
func (m *Manager) closeOpened(container string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, f := range m.opened[container] {
		f.Close()
	}
	delete(m.opened, container)
}

// OpenSubpath opens a file or directory below another, which it does not leave, to be the source of a mount.
func OpenSubpath(dir, below string) (*os.File, error) { return openSubpath(dir, below, unix.O_PATH) }

// openSubpath opens a file or directory in a volume. Links in it belong to containers: they are followed inside of it.
func openSubpath(dir, below string, flags uint64) (*os.File, error) {
	root, err := unix.Open(dir, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: dir, Err: err}
	}
	defer unix.Close(root)
	fd, err := unix.Openat2(root, below, &unix.OpenHow{Flags: flags | unix.O_CLOEXEC, Resolve: unix.RESOLVE_BENEATH | unix.RESOLVE_NO_MAGICLINKS})
	switch err {
	case nil:
		return os.NewFile(uintptr(fd), below), nil
	case unix.ENOENT:
		return nil, api.Errorf(errdefs.ErrNotFound, "cannot access path %s/%s: %v", dir, below, err)
	case unix.EXDEV:
		return nil, invalidf("subpath %s leads out of the volume", below)
	default:
		return nil, invalidf("cannot access path %s/%s: %v", dir, below, err)
	}
}
