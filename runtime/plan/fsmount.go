package plan

import (
	"slices"

	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/spec"
)

// fsMount makes a new mount of a file system and attaches it (fsopen(2), fsmount(2), move_mount(2)).
func (c *compiler) fsMount(m *mount) error {
	made, err := c.attachFS(m)
	switch {
	case err != nil:
	case m.remounted && !pseudo(m.Type):
		c.own[m.rel] = made
	default:
		c.close(made)
	}
	return err
}

// attachFS is fsMount that keeps the descriptor of the new mount.
func (c *compiler) attachFS(m *mount) (made Arg, err error) {
	c.doing(m.what(), m.field)
	var new Reg
	if m.takesMode() {
		new = c.newReg()
	}
	to := c.fsDestination(m, new)
	c.guard(m.rel, to)
	var mode Reg
	if m.takesMode() {
		mode = c.load(c.statx(to), statxMode, 2, 0o7777)
	}
	fill := mode != 0 || m.copyUp // what is filled can only be read-only once it is
	rest, tidy := *m, func() {}
	if m.long() {
		made, tidy, err = c.makeLong(m, fill)
	} else {
		attr := m.attr.Set
		if rest.attr = (spec.MountAttr{}); fill {
			rest.attr.Set = attr & unix.MOUNT_ATTR_RDONLY
			attr &^= unix.MOUNT_ATTR_RDONLY
		}
		made = c.makeFS(m, attr, fill)
	}
	if err != nil {
		return made, err
	}
	if m.Type == "mqueue" && c.linux.MountLabel != "" {
		c.labelMQueue(made)
		c.doing(m.what(), m.field)
	}
	c.fill(m, mode, new, made, to)
	c.setAttributes(made, &rest) // what the mount did not get when it was made
	c.moveMount(made, to)
	c.close(to)
	tidy()
	return made, nil
}

func (m *mount) what() string { return "mount " + m.Type + " on " + m.Destination }

// makeFS makes a detached mount with the given attributes.
func (c *compiler) makeFS(m *mount, attr uint64, filled bool) Arg {
	fs := c.fsopen(m.Type).arg()
	if m.Source != "" {
		c.fsconfig(fs, option{key: "source", value: m.Source})
	}
	for _, o := range c.options(m, filled) {
		c.fsconfig(fs, o)
	}
	c.doing(m.what(), m.field)
	c.fsconfigCreate(fs)
	made := c.fsmount(fs, attr).arg()
	c.close(fs)
	return made
}

// options are those of the file system. One that takes something over from its mount point has to be written to
// once, and those with one superblock for many mounts cannot be read-only for one alone.
func (c *compiler) options(m *mount, filled bool) []option {
	list := make([]option, 0, len(m.super)+len(m.data)+1)
	for _, o := range m.super {
		if !o.clears && (o.key != "ro" || !pseudo(m.Type) && !filled) {
			list = append(list, o)
		}
	}
	return append(append(list, m.data...), c.labelOption(m.Type)...)
}

// fill gives a new tmpfs the mode and, for tmpcopyup, the content of the directory that it will cover.
func (c *compiler) fill(m *mount, mode, new Reg, made, covered Arg) {
	if mode != 0 {
		old, done := c.label(), c.label()
		c.op(Compare, new.arg(), num(1)).then(done).otherwise(old)
		c.place(old)
		dir := c.openat(made, ".", unix.O_RDONLY|unix.O_DIRECTORY).save().arg()
		c.call(unix.SYS_FCHMOD, dir, mode.arg())
		c.close(dir)
		c.place(done)
	}
	if m.copyUp {
		c.sendFiles(covered, made)
		c.rendezvous(CopyUp)
	}
}

// pseudo names the file systems that have one superblock for many mounts: "ro" is for the mount alone.
func pseudo(fstype string) bool {
	switch fstype {
	case "proc", "sysfs", "mqueue", "devpts", "cgroup", "cgroup2":
		return true
	}
	return false
}

func (c *compiler) fsconfig(fs Arg, o option) {
	if o.field != "" {
		c.doing("set the option "+o.String(), o.field)
	}
	if o.value == "" {
		c.fsconfigFlag(fs, o.key)
	} else {
		c.fsconfigString(fs, o.key, o.value)
	}
}

// takesMode says whether a tmpfs takes on the mode of its mount point: unless an option says otherwise, or the
// mount point was made for it, when the default of a tmpfs, 1777, is as good.
func (m *mount) takesMode() bool {
	return m.Type == "tmpfs" && !slices.ContainsFunc(m.data, func(o option) bool { return o.key == "mode" })
}
