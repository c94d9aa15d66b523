package plan

import (
	"path"
	"strings"

	"golang.org/x/sys/unix"
)

// A destination is where something is put into the container's file system. It is looked up by the
// kernel under the root descriptor, one component at a time created where it is missing, and held as a
// descriptor from then on: no string is resolved twice (security rule 1).

// make says what to create when a destination is missing.
type makeKind int

const (
	makeDir  makeKind = iota
	makeFile          // an empty regular file
	makeLike          // a directory or a file, as the mount object like is
)

// relative turns a path of the config into one relative to the root; "" stands for the root itself.
func relative(p string) string { return strings.TrimPrefix(path.Clean("/"+p), "/") }

// destination opens p under the root, making what is missing, and returns its descriptor.
func (c *compiler) destination(p string, kind makeKind, like Arg) Arg {
	return c.openDestination(p, kind, like, 0, 0)
}

// openDestination is destination with flags for openat2(2) and a register that becomes 1 if p was missing.
func (c *compiler) openDestination(p string, kind makeKind, like Arg, flags uint64, made Reg) Arg {
	rel := relative(p)
	fd := c.newReg()
	done, missing, dangling := c.label(), c.label(), c.label()
	c.openIn(c.root, rel, flags).ok(unix.ENOENT).saveTo(fd).then(done).otherwise(missing)
	c.place(missing)
	dir := c.parents(path.Dir(rel), dangling)
	c.makeLast(dir, path.Base(rel), kind, like)
	if dir != c.root {
		c.close(dir)
	}
	c.openIn(c.root, rel, flags).ok(unix.ENOENT).saveTo(fd).otherwise(dangling)
	after := c.label()
	c.jump(after)
	c.place(dangling)
	if kind == makeLike { // a bind mount, such as on an /etc/resolv.conf that links to nowhere yet
		c.sendFiles(c.root, like)
		c.rendezvous(MakeTarget)
	}
	c.openIn(c.root, rel, flags).saveTo(fd)
	c.place(after)
	if made != 0 {
		c.constant(made, 1)
	}
	c.place(done)
	return fd.arg()
}

// fsDestination is the destination of a new mount. Where procfs and sysfs are is what others rely on: an image
// whose /proc is a link would move it to a place of its own choice.
func (c *compiler) fsDestination(m *mount, made Reg) Arg {
	if m.Type != "proc" && m.Type != "sysfs" {
		return c.openDestination(m.Destination, makeDir, Arg{}, 0, made)
	}
	fd := c.openDestination(m.Destination, makeDir, Arg{}, unix.O_NOFOLLOW, made)
	c.requireEqual(c.load(c.statx(fd), statxMode, 2, unix.S_IFMT), unix.S_IFDIR, unix.ENOTDIR,
		m.Type+" must be mounted on ordinary directory, and "+m.Destination+" is none")
	return fd
}

// parents opens the directory rel, making it and what leads to it where missing.
func (c *compiler) parents(rel string, dangling label) Arg {
	dir := c.root
	if rel == "." || rel == "" {
		return dir
	}
	for end := 0; end < len(rel); {
		start := end
		if i := strings.IndexByte(rel[start+1:], '/'); i >= 0 {
			end = start + 1 + i
		} else {
			end = len(rel)
		}
		next := c.makePart(dir, rel[:end], strings.TrimPrefix(rel[start:end], "/"), dangling)
		if dir != c.root {
			c.close(dir)
		}
		dir = next
	}
	return dir
}

// makePart opens prefix, whose last component name is made in dir if it is missing. It goes to dangling when the
// name is there, as a link to nothing.
func (c *compiler) makePart(dir Arg, prefix, name string, dangling label) Arg {
	next := c.newReg()
	have, missing := c.label(), c.label()
	c.openIn(c.root, prefix, unix.O_DIRECTORY).ok(unix.ENOENT).saveTo(next).then(have).otherwise(missing)
	c.place(missing)
	c.mkdirat(dir, name, 0o755).ok(unix.EEXIST)
	c.openIn(c.root, prefix, unix.O_DIRECTORY).ok(unix.ENOENT).saveTo(next).otherwise(dangling)
	c.place(have)
	return next.arg()
}

func (c *compiler) makeLast(dir Arg, name string, kind makeKind, like Arg) {
	done, file := c.label(), c.label()
	if kind == makeLike {
		directory := c.label()
		mode := c.load(c.statx(like), statxMode, 2, unix.S_IFMT)
		c.op(Compare, mode.arg(), num(unix.S_IFDIR)).then(directory).otherwise(file)
		c.place(directory)
	}
	if kind != makeFile {
		c.mkdirat(dir, name, 0o755).ok(unix.EEXIST)
		c.jump(done)
	}
	c.place(file)
	if kind != makeDir {
		c.mknodat(dir, name, unix.S_IFREG|0o644, 0).ok(unix.EEXIST)
	}
	c.place(done)
}

// Magic numbers of the file systems that destinations are checked against (statfs(2)).
const (
	procMagic   = 0x9fa0
	sysfsMagic  = 0x62656572
	devptsMagic = 0x1cd1
)

// procTarget names the files of procfs that may be mounted over: what LXCFS and the like provide. All
// else below /proc would let a container fake or unmask what others, and the runtime, rely on.
func procTarget(rel string) bool {
	switch rel {
	case "proc/cpuinfo", "proc/diskstats", "proc/meminfo", "proc/stat", "proc/swaps", "proc/uptime", "proc/loadavg",
		"proc/slabinfo", "proc/net/dev", "proc/sys/kernel/ns_last_pid", "proc/sys/crypto/fips_enabled":
		return true
	}
	return false
}

// guard refuses a mount that would land in procfs or sysfs without the config saying so (security rule
// 3): the path may have led there through a symbolic link.
func (c *compiler) guard(rel string, fd Arg) {
	magic := c.fsMagic(fd)
	if !procTarget(rel) {
		c.requireDifferent(magic, procMagic, "the destination is in procfs")
	}
	if rel != "sys" && !strings.HasPrefix(rel, "sys/") {
		c.requireDifferent(magic, sysfsMagic, "the destination is in sysfs, which the config does not say")
	}
}

func (c *compiler) requireDifferent(reg Reg, value uint64, message string) {
	bad, good := c.label(), c.label()
	c.op(Compare, reg.arg(), num(value)).then(bad).otherwise(good)
	c.place(bad)
	c.fail(unix.EPERM, message)
	c.place(good)
}
