package plan

import (
	"fmt"
	"path"
	"slices"
	"sort"
	"strings"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// cgroupMount shows the container its control groups: with a cgroup namespace by a mount of its own,
// otherwise by a bind of the container's directories, never of the host's whole tree.
func (c *compiler) cgroupMount(m *mount) error {
	c.doing("mount "+m.Type+" on "+m.Destination, m.field)
	switch {
	case !c.in.Host.Unified && m.Type == "cgroup":
		return c.cgroupV1Mounts(m)
	case c.in.Host.CgroupRoot == "":
		return fmt.Errorf("cannot mount %s on %s (%s): this host has no cgroup v2 tree", m.Type, m.Destination, m.field)
	case !c.newNamespace(specs.CgroupNamespace):
		c.attachTree(m, c.cgroupTree(c.cgroupSource("", c.in.Host.CgroupRoot), m.field))
		return nil
	}
	v2 := *m
	v2.Mount = &specs.Mount{Type: "cgroup2", Source: "cgroup", Destination: m.Destination}
	v2.data = nil // options of cgroup v2 belong to the hierarchy, which is the host's
	return c.fsMount(&v2)
}

// cgroupV1Mounts lays out a tmpfs with one mount a hierarchy, as the host has them.
func (c *compiler) cgroupV1Mounts(m *mount) error {
	top := *m
	top.Mount = &specs.Mount{Type: "tmpfs", Source: "tmpfs", Destination: m.Destination}
	top.attr.Set &^= unix.MOUNT_ATTR_RDONLY
	top.super = nil
	top.data = []option{{key: "mode", value: "755"}}
	dir, err := c.attachFS(&top)
	if err != nil {
		return err
	}
	for _, h := range c.hierarchies() {
		c.doing("mount the cgroup hierarchy "+h.name, m.field)
		c.mkdirat(dir, h.name, 0o755)
		to := c.openat2(dir, h.name, unix.O_PATH|unix.O_DIRECTORY|unix.O_NOFOLLOW, unix.RESOLVE_BENEATH).save().arg()
		c.cgroupV1Mount(m, h, to)
		c.close(to)
		for _, alias := range h.aliases() {
			c.symlinkat(h.name, dir, alias)
		}
	}
	if m.attr.Set&unix.MOUNT_ATTR_RDONLY != 0 {
		c.doing("make "+m.Destination+" read-only", m.field)
		c.mountAttr(dir, 0, unix.MountAttr{Attr_set: unix.MOUNT_ATTR_RDONLY})
	}
	c.close(dir)
	return nil
}

func (c *compiler) cgroupV1Mount(m *mount, h hierarchy, to Arg) {
	var made Arg
	if c.newNamespace(specs.CgroupNamespace) {
		fs := c.fsopen("cgroup").arg()
		for _, name := range h.controllers {
			if key, value, named := strings.Cut(name, "="); named {
				c.fsconfigFlag(fs, "none")
				c.fsconfigString(fs, key, value)
			} else {
				c.fsconfigFlag(fs, name)
			}
		}
		c.fsconfigCreate(fs)
		made = c.fsmount(fs, m.attr.Set).arg()
		c.close(fs)
	} else {
		made = c.cgroupTree(c.cgroupSource(h.controllers[0], h.mountPoint), m.field)
		c.mountAttr(made, 0, unix.MountAttr{Attr_set: m.attr.Set})
	}
	c.moveMount(made, to)
	c.close(made)
}

// cgroupSource is the container's directory of a controller, or else the whole hierarchy.
func (c *compiler) cgroupSource(controller, root string) string {
	if dir := c.in.Cgroups[controller]; dir != "" {
		return dir
	}
	return root
}

// cgroupTree is a mount object of a cgroup directory, which may be one of those that unitTrees has opened.
func (c *compiler) cgroupTree(source, field string) Arg {
	if list := c.unitTree[source]; len(list) > 0 {
		c.unitTree[source] = list[1:]
		return list[0]
	}
	return c.hostTree(File{Kind: OpenTree, Path: source, Field: field})
}

// unitTrees opens the unit's directories for the mounts of them, as soon as they are there: the parent cannot
// do it before the clone, and later the process does not see the host's mounts, or has no power over them.
func (c *compiler) unitTrees() {
	if c.execInto || !c.ownMounts() || c.newNamespace(specs.CgroupNamespace) || c.copiesTrees() {
		return
	}
	for i := range c.cfg.Mounts {
		m := &c.cfg.Mounts[i]
		if m.Type != "cgroup" && m.Type != "cgroup2" {
			continue
		}
		if c.in.Host.Unified || m.Type == "cgroup2" {
			c.openUnitTree(c.in.Cgroups[""], indexed("mounts", i))
			continue
		}
		for _, h := range c.hierarchies() {
			c.openUnitTree(c.in.Cgroups[h.controllers[0]], indexed("mounts", i))
		}
	}
}

func (c *compiler) openUnitTree(dir, field string) {
	if !slices.Contains(c.in.Unit.Dirs, dir) {
		return
	}
	c.doing("open "+dir, field)
	root := c.openat(cwd, "/", unix.O_PATH|unix.O_DIRECTORY).save().arg()
	tree := c.openTree(root, strings.TrimPrefix(dir, "/"), 0).arg()
	c.close(root)
	if c.unitTree == nil {
		c.unitTree = map[string][]Arg{}
	}
	c.unitTree[dir] = append(c.unitTree[dir], tree)
}

// hierarchy is one cgroup v1 mount of the host, with all controllers that share it.
type hierarchy struct {
	name        string // the last part of its mount point, such as "cpu,cpuacct"
	mountPoint  string
	controllers []string
}

// aliases are the single controllers of a shared hierarchy, which have a link each.
func (h hierarchy) aliases() []string {
	var list []string
	for _, name := range h.controllers {
		if name != h.name && !strings.Contains(name, "=") {
			list = append(list, name)
		}
	}
	return list
}

func (c *compiler) hierarchies() []hierarchy {
	byMount := map[string]*hierarchy{}
	for name, at := range c.in.Host.CgroupV1 {
		h := byMount[at]
		if h == nil {
			h = &hierarchy{name: path.Base(at), mountPoint: at}
			byMount[at] = h
		}
		h.controllers = append(h.controllers, name)
	}
	list := make([]hierarchy, 0, len(byMount))
	for _, h := range byMount {
		sort.Strings(h.controllers)
		list = append(list, *h)
	}
	sort.Slice(list, func(i, j int) bool { return list[i].name < list[j].name })
	return list
}
