package container

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	shim "github.com/dhow-containers/dhow/shim/mount"
)

// A subpath of a volume or image is opened, so that nobody can put a link in its place, and our runtime mounts what the
// descriptor stands for. Others mount in a namespace of their own, in which a descriptor of this process is no source. For
// them it is mounted on the host, as images are, while the task is created.

// subpathFile is where what is at the subpath of mount number i is mounted meanwhile.
func (c *container) subpathFile(i int) string { return c.file(fmt.Sprintf("mounts/subpath-%d", i)) }

// placeSubpaths gives the mounts with subpaths sources that are good for any runtime.
func (l *launch) placeSubpaths() error {
	for i := range l.mounts {
		p := &l.mounts[i]
		if p.Subpath == "" {
			continue
		}
		path := l.subpathFile(i)
		if err := place(p.Source, path); err != nil {
			return fmt.Errorf("cannot mount %s of %s for another runtime: %w", p.Subpath, p.Name+p.Image, err)
		}
		p.Source = path
	}
	return nil
}

// place binds a file or directory, with all that is mounted below it, to a path of ours.
func place(source, path string) error {
	st, err := os.Stat(source)
	if err != nil {
		return err
	}
	tree, err := shim.Detached(source, true, 0)
	if err != nil {
		return err
	}
	defer unix.Close(tree)
	if err := errors.Join(detach(path), os.MkdirAll(filepath.Dir(path), mountsMode)); err != nil {
		return err
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) { // it may have been of the other kind
		return err
	}
	if st.IsDir() {
		err = os.Mkdir(path, 0o700)
	} else {
		err = os.WriteFile(path, nil, 0o600)
	}
	if err != nil {
		return err
	}
	if err := unix.MoveMount(tree, "", unix.AT_FDCWD, path, unix.MOVE_MOUNT_F_EMPTY_PATH); err != nil {
		return &os.PathError{Op: "move_mount", Path: path, Err: err}
	}
	return nil
}
