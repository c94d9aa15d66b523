package mount

import (
	"os"

	"golang.org/x/sys/unix"
)

// Detached makes a copy of the mount that a source is on, with those below it if recursive, that is attached nowhere yet. It is
// private from the beginning: what is unmounted in it later is unmounted nowhere else. attr are attributes that it is to have
// besides (mount_setattr(2)). The caller closes it.
func Detached(source string, recursive bool, attr uint64) (fd int, err error) {
	flags := uint(unix.OPEN_TREE_CLONE | unix.OPEN_TREE_CLOEXEC)
	if recursive {
		flags |= unix.AT_RECURSIVE
	}
	if fd, err = unix.OpenTree(unix.AT_FDCWD, source, flags); err != nil {
		return -1, &os.PathError{Op: "open_tree", Path: source, Err: err}
	}
	set := unix.MountAttr{Propagation: unix.MS_PRIVATE, Attr_set: attr}
	if err := unix.MountSetattr(fd, "", unix.AT_EMPTY_PATH|unix.AT_RECURSIVE, &set); err != nil {
		unix.Close(fd)
		return -1, &os.PathError{Op: "mount_setattr", Path: source, Err: err}
	}
	return fd, nil
}
