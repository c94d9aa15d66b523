package plan

import (
	"path"
	"strings"

	"golang.org/x/sys/unix"
)

// treeInside is hostTree for a source below the root file system: what is mounted there so far is meant, and
// links lead nowhere else. The power to map its ids is the parent's (mount_setattr(2)), which gets the copy before it
// is mounted anywhere.
func (c *compiler) treeInside(m *mount, source string, f *File) Arg {
	at := c.openIn(c.root, relative(source), 0).save().arg()
	tree := c.openTree(at, "", uint64(unix.AT_EMPTY_PATH|f.Flags)).arg()
	c.close(at)
	if f.IDMap != nil {
		c.p.IDMaps = append(c.p.IDMaps, f.IDMap)
		c.doing("map the ids of "+m.Source, f.IDMap.Field)
		c.sendFiles(tree)
		c.rendezvous(MapMount)
		c.doing("bind "+m.Source+" on "+m.Destination, m.field)
	}
	return tree
}

// inRootfs gives the path in the container of a path of the host that is below the root file system.
func (c *compiler) inRootfs(p string) (inside string, ok bool) {
	if c.in.Rootfs == "" {
		return "", false
	}
	inside, ok = strings.CutPrefix(path.Clean(p), path.Clean(c.in.Rootfs)+"/")
	return "/" + inside, ok
}
