package mount

import (
	"fmt"
	"strings"

	"github.com/moby/sys/mountinfo"
	"golang.org/x/sys/unix"
)

// Unmount takes away all mounts on dir and below it, and what an All that was killed has left beside it. There may be
// none, nor dir itself.
func Unmount(dir string) error {
	if err := removeMapped(dir); err != nil {
		return err
	}
	switch err := layers(dir); err {
	case nil:
		return nil
	case unix.EBUSY: // there are mounts below, or somebody uses it
		return recursive(dir)
	default:
		return fmt.Errorf("cannot unmount %s: %w", dir, err)
	}
}

// layers takes away what is mounted on dir itself.
func layers(dir string) error {
	for {
		switch err := unix.Unmount(dir, unix.UMOUNT_NOFOLLOW); err {
		case nil:
		case unix.EINVAL, unix.ENOENT: // nothing is mounted there any more
			return nil
		default:
			return err
		}
	}
}

// recursive goes by the list of mounts, the youngest first. One that is in use is detached.
func recursive(dir string) error {
	list, err := mountinfo.GetMounts(mountinfo.PrefixFilter(dir))
	if err != nil {
		return fmt.Errorf("cannot unmount %s: %w", dir, err)
	}
	for i := len(list) - 1; i >= 0; i-- {
		m := list[i].Mountpoint
		if m != dir && !strings.HasPrefix(m, dir+"/") {
			continue
		}
		err := unix.Unmount(m, unix.UMOUNT_NOFOLLOW)
		if err == unix.EBUSY {
			err = unix.Unmount(m, unix.UMOUNT_NOFOLLOW|unix.MNT_DETACH)
		}
		if err != nil && err != unix.EINVAL && err != unix.ENOENT {
			return fmt.Errorf("cannot unmount %s: %w", m, err)
		}
	}
	return nil
}
