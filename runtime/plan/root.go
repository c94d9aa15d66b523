package plan

import (
	"golang.org/x/sys/unix"
)

// propagationFlags maps linux.rootfsPropagation to MS_ flags.
func propagationFlags(name string) (flag uint64, recursive bool) {
	switch name {
	case "shared", "rshared":
		flag = unix.MS_SHARED
	case "private", "rprivate":
		flag = unix.MS_PRIVATE
	case "unbindable", "runbindable":
		flag = unix.MS_UNBINDABLE
	case "slave", "rslave", "":
		flag = unix.MS_SLAVE
	}
	return flag, name == "" || name[0] == 'r'
}

// enterRootMount cuts the mount namespace off the host's and puts a copy of the rootfs mount in place,
// which the container's mounts are attached under. The process starts in the rootfs directory, so no
// path has to be looked up. The host's mounts always become slaves: mount propagation that a config
// wants with the host comes with the bind sources, which the parent opens.
func (c *compiler) enterRootMount() {
	c.doing("stop mount events from reaching the host", "linux.rootfsPropagation")
	c.oldRoot = c.openat(cwd, "/", unix.O_PATH|unix.O_DIRECTORY).save().arg()
	c.mountAttr(c.oldRoot, unix.AT_RECURSIVE, unix.MountAttr{Propagation: unix.MS_SLAVE})
	c.doing("mount the root file system", "root.path")
	c.root = c.openTree(cwd, ".", unix.AT_RECURSIVE).arg()
	if c.in.NoPivot { // they stay below for good: nothing the host mounts later may come in
		c.mountAttr(c.oldRoot, unix.AT_RECURSIVE, unix.MountAttr{Propagation: unix.MS_PRIVATE})
	}
	c.call(unix.SYS_MOVE_MOUNT, c.root, str(""), cwd, str("."), num(unix.MOVE_MOUNT_F_EMPTY_PATH))
}

// openRoot is for a container that stays in the mount namespace of its creator.
func (c *compiler) openRoot() {
	c.doing("open the root file system", "root.path")
	c.root = c.openat(cwd, ".", unix.O_PATH|unix.O_DIRECTORY).save().arg()
}

// changeRoot makes the rootfs the process's "/" and gets rid of the host's.
func (c *compiler) changeRoot() {
	if !c.ownMounts() {
		c.doing("change the root directory", "root.path")
		c.call(unix.SYS_FCHDIR, c.root)
		c.call(unix.SYS_CHROOT, str("."))
		return
	}
	if c.cfg.Root.Readonly {
		c.doing("make the root file system read-only", "root.readonly")
		c.mountAttr(c.root, 0, unix.MountAttr{Attr_set: unix.MOUNT_ATTR_RDONLY})
	}
	if c.in.NoPivot {
		c.moveRoot()
	} else {
		c.pivotRoot()
	}
	if name := c.linux.RootfsPropagation; name != "" {
		c.doing("set the propagation of the root file system", "linux.rootfsPropagation")
		flag, recursive := propagationFlags(name)
		c.mountAttr(c.root, recursiveFlag(recursive), unix.MountAttr{Propagation: flag})
	}
}

// pivotRoot stacks the old root on the new one and detaches it (pivot_root(2), "pivot_root(".", ".")").
func (c *compiler) pivotRoot() {
	c.doing("change the root file system", "root.path")
	c.call(unix.SYS_FCHDIR, c.root)
	c.call(unix.SYS_PIVOT_ROOT, str("."), str("."))
	c.call(unix.SYS_FCHDIR, c.oldRoot)
	c.call(unix.SYS_UMOUNT2, str("."), num(unix.MNT_DETACH))
	c.call(unix.SYS_CHDIR, str("/"))
}

func recursiveFlag(recursive bool) uint64 {
	if recursive {
		return unix.AT_RECURSIVE
	}
	return 0
}
