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
	if c.namespace(specs.UserNamespace) == nil {
		if m.attr.Set&unix.MOUNT_ATTR_NODIRATIME != 0 && m.attr.Set&unix.MOUNT_ATTR__ATIME == 0 {
			m.attr.Clr |= unix.MOUNT_ATTR__ATIME // relatime, as for mount(2) with MS_NODIRATIME alone
		}
		if m.attr.Set&unix.MOUNT_ATTR__ATIME != 0 {
			m.attr.Clr |= unix.MOUNT_ATTR_NODIRATIME &^ m.attr.Set
		}
		m.attr.Clr |= lockable &^ m.attr.Set
		return
	}
	if cleared == 0 {
		return
	}
	buf := c.scratch()
	c.call(unix.SYS_FSTATFS, tree, ptr(buf))
	c.requireEqual(c.load(buf, statfsFlags, 8, cleared), 0, unix.EPERM,
		"operation not permitted: an option takes an attribute away that "+m.Source+" is mounted with, which a user namespace must not")
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
