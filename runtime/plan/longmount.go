package plan

import (
	"fmt"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/spec"
)

// fsconfig(2) takes no string of 256 bytes or more. mount(2) takes up to a page of options in all, and a path to mount
// on. So a mount with a long option, such as an overlay of many layers, is made on a directory that nobody else
// can reach, in a tmpfs of the runtime's own, and goes from there to where it belongs.

const (
	maxOption = 256  // fsconfig(2): length of a string, with its NUL
	maxData   = 4096 // mount(2): length of all options, with their NUL
)

// long says whether the mount has an option that fsconfig(2) does not take.
func (m *mount) long() bool {
	if len(m.Source) >= maxOption {
		return true
	}
	for _, o := range m.data {
		if len(o.value) >= maxOption {
			return true
		}
	}
	return false
}

// makeLong makes a mount with mount(2). tidy takes the directory away again, once the mount has been moved.
func (c *compiler) makeLong(m *mount, filled bool) (made Arg, tidy func(), err error) {
	flags, data := uint64(0), make([]string, 0, len(m.data))
	for _, o := range c.options(m, filled) {
		known, ok := spec.MountOption(o.String())
		switch {
		case ok:
			flags |= uint64(known.MSFlag)
		case strings.HasSuffix(o.key, "context"): // its value may have commas, and SELinux takes it in quotes
			data = append(data, o.key+`="`+o.value+`"`)
		default:
			data = append(data, o.String())
		}
	}
	text := strings.Join(data, ",")
	if len(text) >= maxData || len(m.Source) >= unix.PathMax {
		return made, nil, fmt.Errorf("cannot %s (%s.options): with %d bytes they are longer than the kernel takes (%d)",
			m.what(), m.field, len(text), maxData-1)
	}
	fs := c.fsopen("tmpfs").arg()
	c.fsconfigCreate(fs)
	scratch := c.fsmount(fs, 0).arg()
	c.close(fs)
	c.mkdirat(scratch, "m", 0o700)
	c.moveMount(scratch, c.oldRoot)
	dir := c.openat(scratch, "m", unix.O_PATH|unix.O_DIRECTORY|unix.O_NOFOLLOW).save().arg()
	c.call(unix.SYS_FCHDIR, dir)
	c.close(dir)
	c.call(unix.SYS_MOUNT, str(m.Source), str("."), str(m.Type), num(flags), str(text))
	made = c.openat(scratch, "m", unix.O_PATH|unix.O_DIRECTORY|unix.O_NOFOLLOW).save().arg()
	return made, func() {
		c.call(unix.SYS_FCHDIR, scratch)
		c.call(unix.SYS_UMOUNT2, str("."), num(unix.MNT_DETACH))
		c.close(scratch)
	}, nil
}
