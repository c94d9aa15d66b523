package volume

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/dhow-containers/dhow/runtime/inroot"
	"github.com/moby/moby/api/types/mount"
	"golang.org/x/sys/unix"
)

// Populate copies what the image has at the places of new, empty volumes into them. root is the container's root file
// system without any of the mounts. A volume gets all of it or nothing, also when the daemon is killed meanwhile, unless
// it has a device or somebody is using it already.
func (m *Manager) Populate(_ context.Context, _ string, mounts []Mount, root *os.File) error {
	for i := range mounts {
		if mounts[i].Type != mount.TypeVolume {
			continue
		}
		if err := m.populate(&mounts[i], root); err != nil {
			return err
		}
	}
	return nil
}

func (m *Manager) populate(p *Mount, root *os.File) error {
	fd, err := inroot.Open(int(root.Fd()), p.Destination, unix.O_RDONLY|unix.O_DIRECTORY)
	switch {
	case err == unix.ENOENT:
		return nil
	case err == unix.ENOTDIR && p.Subpath != "":
		return nil // a file may be mounted on a file
	case err == unix.ENOTDIR:
		return invalidf("cannot mount volume over existing file, file exists %s", p.Destination)
	case err != nil:
		return fmt.Errorf("cannot open %s in the image: %w", p.Destination, err)
	}
	source := os.NewFile(uintptr(fd), p.Destination)
	defer source.Close()
	if p.NoCopy {
		return nil
	}
	if err := m.fill(p, source); err != nil {
		return fmt.Errorf("failed to populate volume %s: %w", p.Name, err)
	}
	return nil
}

// fill copies a directory into a volume that is empty, or into a directory in one.
func (m *Manager) fill(p *Mount, source *os.File) (err error) {
	m.mu.Lock()
	e, err := m.find(p.Name)
	m.mu.Unlock()
	if err != nil {
		return err
	}
	e.disk.Lock() // nobody starts with it, or ends, meanwhile
	defer e.disk.Unlock()
	m.mu.Lock()
	idle := len(e.active) == 0
	m.mu.Unlock()
	if err := m.attach(e); err != nil {
		return err
	}
	if idle {
		defer func() { err = errors.Join(err, m.detach(e)) }()
	}
	target, err := openData(m.data(e.Name), p.Subpath)
	if err != nil {
		if p.Subpath != "" {
			return nil // it is an error when it is to be mounted
		}
		return err
	}
	defer target.Close() // before detach
	if empty, err := isEmpty(target); err != nil || !empty {
		return err
	}
	if e.device() || p.Subpath != "" || !idle {
		return copyTree(source, target)
	}
	return m.replace(e, source)
}

// replace puts a copy of a directory in the place of a volume's empty one at once.
func (m *Manager) replace(e *entry, source *os.File) error {
	path := filepath.Join(m.dir(e.Name), copyName)
	if err := os.RemoveAll(path); err != nil {
		return err
	}
	if err := os.Mkdir(path, 0o700); err != nil {
		return err
	}
	target, err := os.Open(path)
	if err != nil {
		return err
	}
	defer target.Close()
	if err := copyTree(source, target); err != nil {
		return errors.Join(err, os.RemoveAll(path))
	}
	return unix.Rename(path, m.data(e.Name)) // os.Rename would not replace a directory
}

// openData opens a volume's directory, or a directory in it.
func openData(dir, below string) (*os.File, error) {
	if below == "" {
		below = "."
	}
	return openSubpath(dir, below, unix.O_RDONLY|unix.O_DIRECTORY)
}

func isEmpty(dir *os.File) (bool, error) {
	_, err := dir.Readdirnames(1)
	if err == io.EOF {
		return true, nil
	}
	return false, err
}
