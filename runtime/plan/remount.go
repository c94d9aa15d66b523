package plan

import (
	"fmt"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/spec"
)

// remount changes the attributes of what is mounted already, and the options of its file system if it is one that
// the config has mounted there: the superblock of any other is not this container's to change.
func (c *compiler) remount(m *mount) error {
	if fd, own := c.own[m.rel]; own {
		c.reconfigure(m, fd)
		c.setAttributes(fd, m)
		return nil
	}
	for _, o := range append(m.data, m.super...) {
		if o.key != "ro" && o.key != "rw" {
			return fmt.Errorf("cannot remount %s (%s): %q is an option of the file system, not of the mount", m.Destination, o.field, o.key)
		}
	}
	c.doing("remount "+m.Destination, m.field)
	fd := c.openIn(c.root, m.rel, 0).save().arg()
	c.setAttributes(fd, m)
	c.close(fd)
	return nil
}

// reconfigure changes the options of a file system (fspick(2)), found by the descriptor from when it was mounted.
func (c *compiler) reconfigure(m *mount, made Arg) {
	what := "remount " + m.Destination
	c.doing(what, m.field)
	if len(m.super)+len(m.data) == 0 {
		return
	}
	fs := c.call(unix.SYS_FSPICK, made, str(""), num(unix.FSPICK_EMPTY_PATH|unix.FSPICK_CLOEXEC)).save().arg()
	for _, o := range append(m.super, m.data...) {
		c.fsconfig(fs, o)
	}
	c.doing(what, m.field)
	c.call(unix.SYS_FSCONFIG, fs, num(unix.FSCONFIG_CMD_RECONFIGURE), num(0), num(0), num(0))
	c.close(fs)
}

// remountedLater says whether a later entry of mounts[] remounts entry i, and no other lies between.
func (c *compiler) remountedLater(i int) bool {
	at := relative(c.cfg.Mounts[i].Destination)
	for j := i + 1; j < len(c.cfg.Mounts); j++ {
		if m := &c.cfg.Mounts[j]; relative(m.Destination) == at {
			return isRemount(m)
		}
	}
	return false
}

func isRemount(m *specs.Mount) bool {
	for _, word := range m.Options {
		if o, ok := spec.MountOption(word); ok && o.Kind == spec.OptRemount {
			return true
		}
	}
	return false
}
