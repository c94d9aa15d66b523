package volume

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/containerd/errdefs"
	"github.com/dhow-containers/dhow/higher/api"
	"github.com/moby/moby/api/types/events"
	"github.com/moby/moby/api/types/volume"
)

// anonymousLabel marks volumes that nobody named.
const anonymousLabel = "com.docker.volume.anonymous"

// VolumeCreate makes a volume, or returns the one that has the name already.
func (m *Manager) VolumeCreate(_ context.Context, r *volume.CreateRequest) (*volume.Volume, error) {
	e, err := m.make(r, "")
	if err != nil {
		return nil, err
	}
	v := m.view(e)
	return &v, nil
}

// make finds or makes a volume, and notes a container that uses it, if one does.
func (m *Manager) make(r *volume.CreateRequest, user string) (*entry, error) {
	name, labels, owner := r.Name, r.Labels, ""
	if name == "" {
		name, owner = newName(), user
		labels = map[string]string{anonymousLabel: ""}
		for key, value := range r.Labels {
			labels[key] = value
		}
	}
	if r.Driver != "" && r.Driver != driver {
		return nil, api.Errorf(errdefs.ErrNotFound, "create %s: error looking up volume plugin %s: plugin %q not found", name, r.Driver, r.Driver)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	e := m.volumes[name]
	if e != nil && e.gone {
		return nil, about("create", name, api.Errorf(errdefs.ErrConflict, "the volume is being removed"))
	}
	if e == nil {
		var err error
		if e, err = m.makeNew(record{Name: name, Created: time.Now().Format(time.RFC3339), Labels: labels, Options: r.DriverOpts, For: owner}); err != nil {
			return nil, about("create", name, err)
		}
	}
	if user != "" {
		e.users[user] = true
	}
	return e, nil
}

// makeNew makes a volume that is not there; m.mu is held.
func (m *Manager) makeNew(r record) (*entry, error) {
	if err := checkName(r.Name); err != nil {
		return nil, err
	}
	if err := checkOptions(r.Options); err != nil {
		return nil, err
	}
	if _, err := os.Lstat(m.dir(r.Name)); !errors.Is(err, fs.ErrNotExist) {
		return nil, api.Errorf(errdefs.ErrConflict, "%s exists and is no volume of this engine's", m.dir(r.Name))
	}
	if err := m.store.put(r); err != nil {
		return nil, err
	}
	if err := m.makeDirectories(r.Name); err != nil {
		os.RemoveAll(m.dir(r.Name))
		return nil, errors.Join(err, m.store.delete(r.Name))
	}
	e := newEntry(r)
	m.volumes[r.Name] = e
	m.emit(events.ActionCreate, r.Name, driverAttribute())
	return e, nil
}

// makeDirectories makes the directories of a volume that are not there. Only root can enter the outer one, but who has
// a descriptor of the inner one, or its path, may use it by its own permissions.
func (m *Manager) makeDirectories(name string) error {
	if err := makeDirectory(m.dir(name), 0o701, os.Getuid(), os.Getgid()); err != nil {
		return fmt.Errorf("error while creating volume root path '%s': %w", m.dir(name), err)
	}
	if err := makeDirectory(m.data(name), 0o755, m.options.UID, m.options.GID); err != nil {
		return fmt.Errorf("error while creating volume data path '%s': %w", m.data(name), err)
	}
	return nil
}

// makeDirectory makes a directory with an owner, or leaves the one that is there as it is.
func makeDirectory(path string, mode os.FileMode, uid, gid int) error {
	if _, err := os.Lstat(path); err == nil {
		return nil
	}
	if err := os.Mkdir(path, 0o700); err != nil {
		return err
	}
	if err := os.Chown(path, uid, gid); err != nil {
		return err
	}
	return os.Chmod(path, mode)
}

// makeAll makes a directory of the host that a container is to have, with what is missing above it.
func (m *Manager) makeAll(path string) error {
	_, err := os.Stat(path)
	if err == nil || !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if parent := filepath.Dir(path); parent != path {
		if err := m.makeAll(parent); err != nil {
			return err
		}
	}
	err = makeDirectory(path, 0o755, m.options.UID, m.options.GID)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	return err
}
