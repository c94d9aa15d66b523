package volume

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/containerd/errdefs"
	"github.com/dhow-containers/dhow/higher/api"
	"github.com/moby/moby/api/types/events"
	"github.com/moby/sys/mountinfo"
)

// VolumeRemove removes a volume with its data. With force it is no error that there is none.
func (m *Manager) VolumeRemove(_ context.Context, name string, force bool) error {
	err := m.remove(name)
	if force && errdefs.IsNotFound(err) {
		return nil
	}
	return err
}

func (m *Manager) remove(name string) error {
	m.mu.Lock()
	e, err := m.find(name)
	if err == nil && len(e.users) > 0 {
		err = inUse(name, e.userList())
	}
	if err == nil {
		e.gone = true // nobody finds it from here on
	}
	m.mu.Unlock()
	if err != nil {
		return err
	}
	err = m.discard(e)
	m.mu.Lock()
	defer m.mu.Unlock()
	if err != nil {
		e.gone = false
		return fmt.Errorf("remove %s: %w", name, err)
	}
	delete(m.volumes, name)
	m.emit(events.ActionDestroy, name, driverAttribute())
	return nil
}

// discard removes a volume that nobody uses, in an order in which a daemon that is killed can go on.
func (m *Manager) discard(e *entry) error {
	e.disk.Lock()
	defer e.disk.Unlock()
	if err := m.detach(e); err != nil {
		return err
	}
	e.Removed = true
	if err := m.store.put(e.record); err != nil {
		return err
	}
	if err := m.erase(e); err != nil {
		e.Removed = false
		return errors.Join(err, m.store.put(e.record))
	}
	return nil
}

// erase removes the directory and the record. What is mounted in a directory of the engine's is never ours to empty:
// RemoveAll would do so before it finds that the directory itself is busy.
func (m *Manager) erase(e *entry) error {
	dir := m.dir(e.Name)
	mounts, err := mountinfo.GetMounts(mountinfo.PrefixFilter(dir))
	if err != nil {
		return fmt.Errorf("cannot list the mounts in %s: %w", dir, err)
	}
	for _, mount := range mounts {
		if mount.Mountpoint == dir || strings.HasPrefix(mount.Mountpoint, dir+"/") {
			return fmt.Errorf("cannot remove %s: something is mounted on %s", dir, mount.Mountpoint)
		}
	}
	if err := os.RemoveAll(dir); err != nil {
		return fmt.Errorf("error removing volume path '%s': %w", dir, err)
	}
	return m.store.delete(e.Name)
}

// Drop ends the use of a container's volumes, and with anonymous removes those that nobody named and nobody else uses.
func (m *Manager) Drop(_ context.Context, container string, mounts []Mount, anonymous bool) error {
	m.release(container, mounts)
	if !anonymous {
		return nil
	}
	names := m.madeFor(container)
	for _, mount := range mounts {
		if mount.Anonymous && !slices.Contains(names, mount.Name) {
			names = append(names, mount.Name)
		}
	}
	var problems []string
	for _, name := range names {
		if err := m.remove(name); err != nil && !errdefs.IsConflict(err) && !errdefs.IsNotFound(err) {
			problems = append(problems, err.Error())
		}
	}
	if problems != nil {
		return api.Errorf(errdefs.ErrInternal, "Error removing volumes:\n%v", strings.Join(problems, "\n"))
	}
	return nil
}

// madeFor are the volumes that were made for a container without a name. The container itself may not know of them yet:
// the daemon was killed while it made it.
func (m *Manager) madeFor(container string) (names []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for name, e := range m.volumes {
		if e.For == container {
			names = append(names, name)
		}
	}
	return names
}

// release forgets that a container uses its volumes.
func (m *Manager) release(container string, mounts []Mount) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, mount := range mounts {
		if e := m.volumes[mount.Name]; e != nil {
			delete(e.users, container)
		}
	}
}
