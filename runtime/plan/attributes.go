package plan

import (
	"slices"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/spec"
)

// lockable are the attributes that a user namespace may not take from the mounts that come into it
// (mount_namespaces(7), "Restrictions on mount namespaces"). In struct statfs they are the low four bits.
const lockable = unix.MOUNT_ATTR_RDONLY | unix.MOUNT_ATTR_NOSUID | unix.MOUNT_ATTR_NODEV | unix.MOUNT_ATTR_NOEXEC

// bindAttributes completes what the options of a bind mount say of its attributes. One that says nothing keeps
// those of its source, as with mount(8). One that says anything has what it says and nothing else, those
// about access times aside: mount(2) works so with MS_REMOUNT, and all runtimes with it. In a user namespace
// what may be locked stays, and it is an error to ask for its end.
func (c *compiler) bindAttributes(m *mount, tree Arg) {
	if m.attr == (spec.MountAttr{}) {
		return
	}
	cleared := m.attr.Clr & lockable
	m.attr.Clr |= unix.MOUNT_ATTR_NOSYMFOLLOW &^ m.attr.Set
	m.attr.Clr |= otherAccessTimes(m.attr)
	if c.namespace(specs.UserNamespace) == nil {
		m.attr.Clr |= lockable &^ m.attr.Set
		return
	}
	mask, times := statfsTimes(m.attr)
	if mask |= cleared; mask == 0 {
		return
	}
	buf := c.scratch()
	c.call(unix.SYS_FSTATFS, tree, ptr(buf))
	c.requireEqual(c.load(buf, statfsFlags, 8, mask), times, unix.EPERM,
		"operation not permitted: an option changes an attribute that "+m.Source+" is mounted with, which a user namespace must not")
}

// otherAccessTimes is what goes with an option about access times: "nodiratime" alone means relatime, and any other
// ends nodiratime (do_mount in Linux, for MS_REMOUNT).
func otherAccessTimes(attr spec.MountAttr) uint64 {
	if attr.Set&unix.MOUNT_ATTR_NODIRATIME != 0 {
		return unix.MOUNT_ATTR__ATIME
	}
	if attr.Clr&unix.MOUNT_ATTR__ATIME != 0 {
		return unix.MOUNT_ATTR_NODIRATIME
	}
	return 0
}

// statfsTimes are the flags in struct statfs that say how access times are kept, of those that attr has an
// opinion on, and the value they have with it. A user namespace may not change any of them.
func statfsTimes(attr spec.MountAttr) (mask, value uint64) {
	if attr.Clr&unix.MOUNT_ATTR__ATIME != 0 {
		mask |= unix.ST_NOATIME | unix.ST_RELATIME
		switch attr.Set & unix.MOUNT_ATTR__ATIME {
		case unix.MOUNT_ATTR_RELATIME:
			value |= unix.ST_RELATIME
		case unix.MOUNT_ATTR_NOATIME:
			value |= unix.ST_NOATIME
		}
	}
	if (attr.Set|attr.Clr)&unix.MOUNT_ATTR_NODIRATIME != 0 {
		mask |= unix.ST_NODIRATIME
	}
	if attr.Set&unix.MOUNT_ATTR_NODIRATIME != 0 {
		value |= unix.ST_NODIRATIME
	}
	return mask, value
}

// writableForNow takes "ro" from a mount on /dev until the devices are there.
func (c *compiler) writableForNow(m *mount) {
	if m.attr.Set&unix.MOUNT_ATTR_RDONLY == 0 {
		return
	}
	m.attr.Set &^= unix.MOUNT_ATTR_RDONLY
	m.super = slices.DeleteFunc(m.super, func(o option) bool { return o.key == "ro" })
	c.devField = m.field
}

// protectDev makes up for writableForNow.
func (c *compiler) protectDev() {
	if c.devField == "" {
		return
	}
	c.doing("make /dev read-only", c.devField)
	dev := c.openIn(c.root, "dev", unix.O_DIRECTORY).save().arg()
	c.mountAttr(dev, 0, unix.MountAttr{Attr_set: unix.MOUNT_ATTR_RDONLY})
	c.close(dev)
}
