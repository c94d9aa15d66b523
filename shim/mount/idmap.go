package mount

import (
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/runtime/launch"
	"github.com/dhow-containers/dhow/runtime/plan"
)

// mappedSuffix is put behind a root file system's directory for one beside it, where the lower directories of an
// overlay are with their ids mapped, for as long as it takes to mount the overlay.
const mappedSuffix = "-mapped"

// withMappedLowers calls f with the options of an overlay whose lower directories have their ids mapped: an overlay
// itself cannot be mapped (mount_setattr(2), "ID-mapped mounts"). The overlay keeps its own references to them. In a
// mount namespace that is about to end they are below the overlay, where nobody sees them, and stay.
func withMappedLowers(o *options, dir string, f func(data []string) error) (err error) {
	at, dirs := lowers(o.data)
	if at < 0 {
		return fmt.Errorf("the options uidmap and gidmap: the overlay has no lowerdir")
	}
	base := common(dirs)
	temp := o.mapped
	if temp != dir {
		if err := os.Mkdir(temp, 0o700); err != nil && !os.IsExist(err) {
			return err
		}
		defer func() {
			if e := removeMapped(dir); err == nil {
				err = e
			}
		}()
	}
	fd, err := clone(base, o.idMap())
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	if err := unix.MoveMount(fd, "", unix.AT_FDCWD, temp, unix.MOVE_MOUNT_F_EMPTY_PATH); err != nil {
		return fmt.Errorf("cannot mount on %s: %w", temp, os.NewSyscallError("move_mount", err))
	}
	data := append([]string{}, o.data...)
	data[at] = "lowerdir=" + strings.Join(below(temp+"/", base, dirs), ":")
	return f(data)
}

// removeMapped takes away what withMappedLowers has made beside dir; also if that was killed.
func removeMapped(dir string) error {
	temp := dir + mappedSuffix
	err := unix.Unmount(temp, unix.UMOUNT_NOFOLLOW|unix.MNT_DETACH)
	if err == unix.ENOENT {
		return nil
	}
	if err != nil && err != unix.EINVAL {
		return fmt.Errorf("cannot unmount %s: %w", temp, err)
	}
	return os.Remove(temp)
}

// clone makes a mount of a directory with its ids mapped that is not attached anywhere.
func clone(dir string, id *plan.IDMap) (int, error) {
	flags := uint(unix.OPEN_TREE_CLONE | unix.OPEN_TREE_CLOEXEC)
	if id.Recursive {
		flags |= unix.AT_RECURSIVE
	}
	fd, err := unix.OpenTree(unix.AT_FDCWD, dir, flags)
	if err != nil {
		return -1, &os.PathError{Op: "open_tree", Path: dir, Err: err}
	}
	if err := launch.MapMount(fd, id); err != nil {
		unix.Close(fd)
		return -1, fmt.Errorf("cannot map the ids of %s (uidmap): %w", dir, err)
	}
	return fd, nil
}
