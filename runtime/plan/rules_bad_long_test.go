package plan

import "golang.org/x/sys/unix"

// badLongMounts break rules about mount(2), which only makeLong calls.
var badLongMounts = []badProgram{
	{"no path but under a descriptor", "mount(2)", `"/proc"`, func(c *compiler) {
		c.call(unix.SYS_MOUNT, str("proc"), str("/proc"), str("proc"), num(0), num(0))
	}},
	{"mount(2) on a directory of the runtime's own", "anywhere", "on which directory", func(c *compiler) {
		c.call(unix.SYS_MOUNT, str("proc"), str("."), str("proc"), num(0), num(0))
	}},
	{"mount(2) on a directory of the runtime's own", "by a path", "not on its working directory", func(c *compiler) {
		c.call(unix.SYS_FCHDIR, c.openat(scratchOf(c), "m", unix.O_PATH).save().arg())
		c.call(unix.SYS_MOUNT, str("proc"), str("m"), str("proc"), num(0), num(0))
	}},
	{"mount(2) on a directory of the runtime's own", "the container's", "kind \"inside\"", func(c *compiler) {
		c.call(unix.SYS_FCHDIR, c.openat(scratchOf(c), "m", unix.O_PATH).save().arg())
		c.call(unix.SYS_FCHDIR, c.openIn(rootOf(c), "m", 0).save().arg())
		c.call(unix.SYS_MOUNT, str("proc"), str("."), str("proc"), num(0), num(0))
	}},
	{"mounts are kept out of procfs and sysfs", "scratch that stays", "attaches", func(c *compiler) {
		c.moveMount(scratchOf(c), c.openat(cwd, "/", unix.O_PATH).save().arg())
		c.call(unix.SYS_PIVOT_ROOT, str("."), str("."))
	}},
}

// scratchOf makes a tmpfs of the runtime's own.
func scratchOf(c *compiler) Arg { return c.fsmount(c.fsopen("tmpfs").arg(), 0).arg() }
