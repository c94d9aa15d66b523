package plan

import (
	"slices"

	"golang.org/x/sys/unix"
)

// hidePaths masks and write-protects paths. It runs before pivot_root, while the host's /dev/null is in
// reach: nothing inside the container is trusted to be a null device (security rule 3).
func (c *compiler) hidePaths() {
	c.protectDev()
	if len(c.linux.MaskedPaths) > 0 {
		c.maskPaths()
	}
	for i, p := range c.linux.ReadonlyPaths {
		if repeated(c.linux.ReadonlyPaths, i) {
			continue
		}
		c.doing("make "+p+" read-only", indexed("linux.readonlyPaths", i))
		c.readonlyPath(p)
	}
}

// repeated says whether an earlier element of the list is the same path: one mount is enough for both.
func repeated(list []string, i int) bool {
	return slices.ContainsFunc(list[:i], func(p string) bool { return relative(p) == relative(list[i]) })
}

// maskPaths covers files with the host's /dev/null and directories with one empty read-only tmpfs.
func (c *compiler) maskPaths() {
	c.doing("open /dev/null to mask files with", "linux.maskedPaths")
	null := c.openat2(cwd, "/dev/null", unix.O_PATH|unix.O_NOFOLLOW, unix.RESOLVE_NO_MAGICLINKS).save().arg()
	c.requireNode(null, unix.S_IFCHR, 1, 3, "/dev/null of the host is not the null device (c 1:3)")
	c.doing("make an empty directory to mask directories with", "linux.maskedPaths")
	fs := c.fsopen("tmpfs").arg()
	c.fsconfigFlag(fs, "ro")
	c.fsconfigString(fs, "nr_inodes", "2")
	if c.linux.MountLabel != "" {
		c.labelFS(fs, "tmpfs")
		c.doing("make an empty directory to mask directories with", "linux.maskedPaths")
	}
	c.fsconfigCreate(fs)
	empty := c.fsmount(fs, unix.MOUNT_ATTR_RDONLY|unix.MOUNT_ATTR_NOSUID|unix.MOUNT_ATTR_NODEV|unix.MOUNT_ATTR_NOEXEC).arg()
	c.close(fs)
	used := c.newReg()
	for i, p := range c.linux.MaskedPaths {
		if repeated(c.linux.MaskedPaths, i) {
			continue
		}
		c.doing("mask "+p, indexed("linux.maskedPaths", i))
		c.maskPath(p, null, empty, used)
	}
	c.close(null)
	c.close(empty)
}

// maskPath masks one path; one that does not exist needs no mask. used is 1 once the tmpfs has been
// attached: from then on it can be cloned.
func (c *compiler) maskPath(p string, null, empty Arg, used Reg) {
	done, dir, file, fresh, again := c.label(), c.label(), c.label(), c.label(), c.label()
	fd := c.openIn(c.root, relative(p), 0).ok(unix.ENOENT, unix.ENOTDIR).otherwise(done).save().arg()
	mode := c.load(c.statx(fd), statxMode, 2, unix.S_IFMT)
	c.op(Compare, mode.arg(), num(unix.S_IFDIR)).then(dir).otherwise(file)
	c.place(file)
	tree := c.openTree(null, "", unix.AT_EMPTY_PATH).arg()
	c.moveMount(tree, fd)
	c.close(tree)
	c.close(fd)
	c.jump(done)
	c.place(dir)
	c.op(Compare, used.arg(), num(1)).then(again).otherwise(fresh)
	c.place(fresh)
	c.moveMount(empty, fd)
	c.constant(used, 1)
	c.close(fd)
	c.jump(done)
	c.place(again)
	copied := c.openTree(empty, "", unix.AT_EMPTY_PATH).arg()
	c.moveMount(copied, fd)
	c.close(copied)
	c.close(fd)
	c.place(done)
}

// readonlyPath covers a path with a read-only copy of itself.
func (c *compiler) readonlyPath(p string) {
	done := c.label()
	fd := c.openIn(c.root, relative(p), 0).ok(unix.ENOENT, unix.ENOTDIR).otherwise(done).save().arg()
	tree := c.openTree(fd, "", unix.AT_EMPTY_PATH|unix.AT_RECURSIVE).arg()
	c.mountAttr(tree, unix.AT_RECURSIVE, unix.MountAttr{Attr_set: unix.MOUNT_ATTR_RDONLY})
	c.moveMount(tree, fd)
	c.close(tree)
	c.close(fd)
	c.place(done)
}
