package plan

import (
	"encoding/binary"
	"path"

	"golang.org/x/sys/unix"
)

// sourceOf is where a bind mount comes from: relative to the bundle (config.md, "Mounts").
func (c *compiler) sourceOf(m *mount) string {
	if path.IsAbs(m.Source) {
		return m.Source
	}
	return path.Join(c.in.Bundle, m.Source)
}

// copiedLink is what the source of a mount with crun's option copy-symlink links to; "" when there is nothing to
// copy.
func (c *compiler) copiedLink(m *mount) string {
	if !m.copyLink {
		return ""
	}
	return c.in.Host.Links[c.sourceOf(m)]
}

// copySymlink makes a symbolic link on the destination, in place of a mount. One that is there already and leads to
// the same name stays.
func (c *compiler) copySymlink(m *mount, target string) {
	c.doing("link "+m.Destination+" to "+target, m.field)
	dir, name := c.destination(path.Dir("/"+m.rel), makeDir, Arg{}), path.Base(m.rel)
	done, exists := c.label(), c.label()
	c.symlinkat(target, dir, name).ok(unix.EEXIST).then(done).otherwise(exists)
	c.place(exists)
	message := "something else is there already"
	answer := c.scratch()
	link, other := c.label(), c.label()
	read := c.call(unix.SYS_READLINKAT, dir, str(name), ptr(answer), num(uint64(len(answer.Data)))).ok(unix.EINVAL)
	length := read.then(link).otherwise(other).save()
	c.place(other)
	c.fail(unix.EEXIST, message)
	c.place(link)
	c.requireEqual(length, uint64(len(target)), unix.EEXIST, message)
	for off := 0; off < len(target); off += 8 {
		var word [8]byte
		n := copy(word[:], target[off:])
		mask := ^uint64(0) >> (64 - 8*n)
		c.requireEqual(c.load(answer, off, 8, mask), binary.LittleEndian.Uint64(word[:]), unix.EEXIST, message)
	}
	c.place(done)
	c.close(dir)
}
