package plan

import (
	"golang.org/x/sys/unix"
)

// moveRoot is for an initramfs, which cannot be pivoted away from. The host's mounts stay below.
func (c *compiler) moveRoot() {
	c.hideHostProc()
	c.doing("move the root file system over /", "root.path")
	c.call(unix.SYS_FCHDIR, c.root)
	c.call(unix.SYS_MOVE_MOUNT, c.root, str(""), cwd, str("/"), num(unix.MOVE_MOUNT_F_EMPTY_PATH))
	c.call(unix.SYS_CHROOT, str("."))
	c.call(unix.SYS_CHDIR, str("/"))
}

// hideHostProc takes away the host's whole procfs and sysfs, wherever they are mounted: with one of them in its mount
// namespace, reachable or not, the kernel lets a container mount others, where nothing is masked (fs/namespace.c,
// mnt_already_visible). What a user namespace holds fast is covered: then the kernel takes it for masked in the
// namespaces that are made of this one. The parent looks whether that was all.
func (c *compiler) hideHostProc() {
	const what = "hide the host's procfs and sysfs"
	c.doing(what, "")
	for _, path := range c.in.Host.Revealing {
		done, held := c.label(), c.label()
		c.call(unix.SYS_UMOUNT2, str(path), num(unix.MNT_DETACH)).ok(unix.EINVAL, unix.EPERM, unix.ENOENT).then(done).otherwise(held)
		c.place(held)
		to := c.openat(cwd, path, unix.O_PATH).ok(unix.ENOENT, unix.ENOTDIR).otherwise(done).save().arg()
		fs := c.fsopen("tmpfs").arg()
		c.fsconfigCreate(fs)
		cover := c.fsmount(fs, unix.MOUNT_ATTR_RDONLY).arg()
		c.close(fs)
		c.moveMount(cover, to)
		c.close(cover)
		c.close(to)
		c.place(done)
	}
	c.rendezvous(CheckHidden)
}
