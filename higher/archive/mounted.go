package archive

import (
	"context"
	"fmt"
	"os"
	"path"

	"github.com/dhow-containers/dhow/higher/userns"
	"github.com/dhow-containers/dhow/higher/volume"
	"github.com/dhow-containers/dhow/runtime/inroot"
	"github.com/dhow-containers/dhow/shim/api"
	"github.com/dhow-containers/dhow/shim/mount"
	mounts "github.com/moby/moby/api/types/mount"
	"golang.org/x/sys/unix"
)

// place is a directory that every host has: what is mounted on it in a mount namespace of one thread hides nothing
// that the thread still needs.
const place = "/sys"

// apart calls f on a thread that has a mount namespace of its own, which ends with it.
func apart(f func() error) error {
	result := make(chan error)
	go mount.OnThread(func() { result <- inNamespace(f) })
	return <-result
}

func inNamespace(f func() error) error {
	if err := unix.Unshare(unix.CLONE_NEWNS); err != nil {
		return os.NewSyscallError("unshare", err)
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return os.NewSyscallError("mount", err)
	}
	return f()
}

// mountRoot mounts a root file system in the namespace of the thread and opens it.
func mountRoot(rootfs []*api.Mount) (*os.File, error) {
	if err := mount.AllHere(rootfs, place); err != nil {
		return nil, err
	}
	fd, err := unix.Open(place, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: place, Err: err}
	}
	return os.NewFile(uintptr(fd), "/"), nil
}

// OpenRoot opens the root directory of a container that does not run, without any of its mounts: to look up users, to
// populate volumes, to export. Nobody else sees the mount, which is gone when the descriptor is closed.
func OpenRoot(rootfs []*api.Mount) (root *os.File, err error) {
	err = apart(func() error {
		root, err = mountRoot(rootfs)
		return err
	})
	return root, err
}

// Mounted calls f with the root directory of a container that does not run: rootfs mounted as the shim would, and
// mounts in it. Nobody else sees these mounts, and nothing of them is left when it returns, or when the process dies.
// f may use descriptors only, and may leave no goroutine behind.
func Mounted(ctx context.Context, rootfs []*api.Mount, list []volume.Mount, ids *userns.Map, f func(root *os.File) error) error {
	return apart(func() error {
		root, err := mountRoot(rootfs)
		if err != nil {
			return err
		}
		defer root.Close()
		for i := range list {
			if err := ctx.Err(); err != nil {
				return err
			}
			if list[i].Type == mounts.TypeTmpfs {
				continue // it would be empty
			}
			if err := bind(root, &list[i], ids); err != nil {
				return fmt.Errorf("cannot mount %s on %s: %w", list[i].Source, list[i].Destination, err)
			}
		}
		return f(root)
	})
}

// bind puts a copy of the mount that a source is on in its place.
func bind(root *os.File, m *volume.Mount, ids *userns.Map) error {
	var attr uint64
	if !m.RW {
		attr = unix.MOUNT_ATTR_RDONLY
	}
	tree, err := mount.Detached(m.Source, !m.NonRecursive, attr)
	if err != nil {
		return err
	}
	defer unix.Close(tree)
	target, err := destination(root, tree, m.Destination, ids)
	if err != nil {
		return err
	}
	defer unix.Close(target)
	err = unix.MoveMount(tree, "", target, "", unix.MOVE_MOUNT_F_EMPTY_PATH|unix.MOVE_MOUNT_T_EMPTY_PATH)
	return os.NewSyscallError("move_mount", err)
}

// destination opens the place of a mount, and makes it if it is not there, as the container's root would: a directory, or
// a file for a file.
func destination(root *os.File, tree int, p string, ids *userns.Map) (int, error) {
	fd, err := inroot.Open(int(root.Fd()), p, unix.O_PATH)
	if err != unix.ENOENT {
		return fd, err
	}
	var st unix.Stat_t
	if err := unix.Fstat(tree, &st); err != nil {
		return -1, err
	}
	x := &extractor{dir: root, options: ExtractOptions{IDs: ids}}
	parent, err := x.parent(path.Clean(p)[1:])
	if err != nil {
		return -1, err
	}
	defer parent.Close()
	base := path.Base(p)
	if st.Mode&unix.S_IFMT == unix.S_IFDIR {
		err = unix.Mkdirat(int(parent.Fd()), base, 0o755)
	} else {
		err = unix.Mknodat(int(parent.Fd()), base, unix.S_IFREG|0o755, 0)
	}
	if err != nil {
		return -1, err
	}
	uid, gid := ids.Root()
	if err := unix.Fchownat(int(parent.Fd()), base, uid, gid, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return -1, err
	}
	return unix.Openat(int(parent.Fd()), base, unix.O_PATH|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
}
