package plan

import (
	"fmt"
	"path"
	"slices"
	"strings"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/spec"
)

// mount is one entry of mounts[], its options sorted by what they ask for.
type mount struct {
	*specs.Mount
	field     string
	rel       string // destination, relative to the root
	attr      spec.MountAttr
	tree      spec.MountAttr // attributes for the whole tree: rro, rnosuid …
	propagate []propagation
	super     []option // words for the superblock
	data      []option // key=value and file system specific words
	bind      bool
	copyUp    bool        // tmpcopyup
	idmap     idmapOption // idmap, ridmap
	copyLink  bool        // copy-symlink
	recursive bool        // rbind
	remount   bool
	remounted bool // by a later entry of mounts[]
}

type propagation struct {
	flag      uint64
	recursive bool
}

// option is a mount option with the config field it stands in.
type option struct {
	key, value, field string
	clears            bool // a word such as rw, which only means something where its opposite holds
}

func (o option) String() string {
	if o.value == "" {
		return o.key
	}
	return o.key + "=" + o.value
}

func (c *compiler) mounts() error {
	for i := range c.cfg.Mounts {
		entry := c.cfg.Mounts[i]
		if inside, ok := c.inRootfs(entry.Destination); ok { // some name the host's path, which runc takes too
			entry.Destination = inside
		}
		m, err := parseMount(c.cfg, &entry, indexed("mounts", i))
		if err != nil {
			return err
		}
		m.remounted = c.remountedLater(i)
		if err := c.mount(m); err != nil {
			return err
		}
	}
	return nil
}

func parseMount(config *specs.Spec, sm *specs.Mount, field string) (*mount, error) {
	m := &mount{Mount: sm, field: field, rel: relative(sm.Destination)}
	m.bind, m.recursive = spec.IsBind(sm)
	for i, word := range sm.Options {
		o := option{key: word, field: indexed(field+".options", i)}
		if known, ok := spec.MountOption(word); ok {
			m.apply(known, o)
			continue
		}
		if name, ok := spec.IDMapWord(word); ok {
			uids, gids, err := spec.ParseIDMapWord(config, word)
			if err != nil {
				return nil, fmt.Errorf("cannot use the option %q (%s): %w", word, o.field, err)
			}
			m.idmap = idmapOption{name == "ridmap", o.field, &IDMap{UID: uids, GID: gids}}
			continue
		}
		for _, part := range splitData(word) {
			o.key, o.value, _ = strings.Cut(part, "=")
			if strings.HasSuffix(o.key, "context") { // the quotes are for mount(2)
				o.value = strings.Trim(o.value, `"`)
			}
			m.data = append(m.data, o)
		}
	}
	switch {
	case m.rel == "":
		return nil, fmt.Errorf("cannot mount over the container's root (%s.destination): use root.path", field)
	case m.rel == "proc" && sm.Type != "proc" && !m.bind && !m.remount:
		return nil, fmt.Errorf("cannot mount %s on /proc (%s): only procfs may be mounted there", sm.Type, field)
	case m.copyUp && sm.Type != "tmpfs":
		return nil, fmt.Errorf("cannot copy up into a mount of type %q (%s.options): tmpcopyup is for tmpfs", sm.Type, field)
	case m.copyLink && !m.bind:
		return nil, fmt.Errorf("cannot mount %s on %s (%s.options): copy-symlink is for bind mounts", sm.Type, sm.Destination, field)
	case m.bind && len(m.data) > 0:
		return nil, fmt.Errorf("cannot bind with the option %q (%s): unknown option", m.data[0].key, m.data[0].field)
	}
	return m, nil
}

// splitData takes apart a word that is several options of a file system, as mount(2) would: at commas, unless they are
// in quotes (a context of SELinux) or behind a backslash (a name of overlay).
func splitData(word string) (list []string) {
	start, quoted := 0, false
	for i := 0; i < len(word); i++ {
		switch word[i] {
		case '\\':
			i++
		case '"':
			quoted = !quoted
		case ',':
			if !quoted && i > start {
				list = append(list, word[start:i])
			}
			if !quoted {
				start = i + 1
			}
		}
	}
	if start < len(word) {
		list = append(list, word[start:])
	}
	return list
}

// apply adds one word of the spec's table.
func (m *mount) apply(known spec.MountOpt, o option) {
	attr := &m.attr
	if known.Recursive && known.Kind == spec.OptAttr {
		attr = &m.tree
	}
	attr.Add(known)
	switch known.Kind {
	case spec.OptPropagation:
		m.propagate = append(m.propagate, propagation{known.Propagation, known.Recursive})
	case spec.OptRemount:
		m.remount = true
	case spec.OptExtension:
		switch o.key {
		case "tmpcopyup":
			m.copyUp = true
		case "copy-symlink":
			m.copyLink = true
		case "idmap", "ridmap":
			m.idmap = idmapOption{known.Recursive, o.field, nil}
		}
	}
	if known.Super != "" && !known.Recursive {
		m.setSuper(known, o.field)
	}
}

// setSuper adds a word for the superblock; of two opposites the last one counts.
func (m *mount) setSuper(known spec.MountOpt, field string) {
	m.super = slices.DeleteFunc(m.super, func(o option) bool { return o.key == known.Super || o.key == opposite(known.Super) })
	m.super = append(m.super, option{key: known.Super, field: field, clears: known.SuperClear})
}

// opposite is the word that takes another back (common_set_sb_flag and common_clear_sb_flag, fs/fs_context.c).
func opposite(word string) string {
	for _, pair := range [...][2]string{{"ro", "rw"}, {"sync", "async"}, {"lazytime", "nolazytime"}, {"mand", "nomand"}} {
		switch word {
		case pair[0]:
			return pair[1]
		case pair[1]:
			return pair[0]
		}
	}
	return ""
}

func (c *compiler) mount(m *mount) error {
	if !m.remount {
		delete(c.own, m.rel)
	}
	if m.rel == "dev" && !m.bind && !m.remount {
		c.writableForNow(m)
	}
	switch {
	case m.remount:
		return c.remount(m)
	case m.bind:
		c.bindMount(m)
	case m.Type == "cgroup" || m.Type == "cgroup2":
		return c.cgroupMount(m)
	default:
		return c.fsMount(m)
	}
	return nil
}

// bindMount attaches a copy of the source's mount, which the parent opens before the clone: in the
// host's mount namespace, with the host's paths.
func (c *compiler) bindMount(m *mount) {
	if target := c.copiedLink(m); target != "" {
		c.copySymlink(m, target)
		return
	}
	c.doing("bind "+m.Source+" on "+m.Destination, m.field)
	flags := 0
	if m.recursive {
		flags = unix.AT_RECURSIVE
	}
	f := File{Kind: OpenTree, Path: c.sourceOf(m), Flags: flags, IDMap: c.idMap(m), Field: m.field + ".source"}
	var tree Arg
	if inside, ok := c.inRootfs(f.Path); ok && (f.IDMap == nil || !c.copiesTrees()) {
		tree = c.treeInside(m, inside, &f)
	} else {
		tree = c.hostTree(f)
	}
	if m.rel == "proc" {
		c.requireEqual(c.fsMagic(tree), procMagic, unix.EPERM, "only procfs may be mounted on /proc")
	}
	c.bindAttributes(m, tree)
	c.attachTree(m, tree)
}

// attachTree puts a detached mount object on the destination of m.
func (c *compiler) attachTree(m *mount, tree Arg) {
	to := c.destination(m.Destination, makeLike, tree)
	c.guard(m.rel, to)
	if flag, recursive := propagationFlags(c.linux.RootfsPropagation); flag != unix.MS_SHARED {
		if flag == unix.MS_UNBINDABLE { // comes last of all (changeRoot): until then it may have to be cloned
			flag = unix.MS_PRIVATE
		}
		c.mountAttr(tree, recursiveFlag(recursive), unix.MountAttr{Propagation: flag})
	}
	now, last := m.splitPropagation()
	c.setAttributes(tree, now)
	c.moveMount(tree, to)
	c.close(to)
	if len(last) == 0 {
		c.close(tree)
	}
	for _, p := range last {
		c.unbindable = append(c.unbindable, lateMount{tree, p, "make " + m.Destination + " unbindable", m.field})
	}
}

// lateMount is a propagation that is set when nothing has to be cloned any more.
type lateMount struct {
	fd          Arg
	propagation propagation
	what, field string
}

// splitPropagation takes out what would keep paths below the mount from being hidden, for which they are
// cloned: unbindable.
func (m *mount) splitPropagation() (now *mount, last []propagation) {
	rest := *m
	rest.propagate = nil
	for _, p := range m.propagate {
		if p.flag == unix.MS_UNBINDABLE {
			last = append(last, p)
		} else {
			rest.propagate = append(rest.propagate, p)
		}
	}
	return &rest, last
}

// makeUnbindable does what was put off.
func (c *compiler) makeUnbindable() {
	for _, l := range c.unbindable {
		c.doing(l.what, l.field)
		c.mountAttr(l.fd, recursiveFlag(l.propagation.recursive), unix.MountAttr{Propagation: l.propagation.flag})
		c.close(l.fd)
	}
}

// setAttributes applies the options that belong to a mount rather than to its file system.
func (c *compiler) setAttributes(fd Arg, m *mount) {
	if m.attr != (spec.MountAttr{}) {
		c.mountAttr(fd, 0, unix.MountAttr{Attr_set: m.attr.Set, Attr_clr: m.attr.Clr})
	}
	if m.tree != (spec.MountAttr{}) {
		c.mountAttr(fd, unix.AT_RECURSIVE, unix.MountAttr{Attr_set: m.tree.Set, Attr_clr: m.tree.Clr})
	}
	for _, p := range m.propagate {
		c.mountAttr(fd, recursiveFlag(p.recursive), unix.MountAttr{Propagation: p.flag})
	}
}

// mountPoint says whether the config mounts something on the path, and what.
func (c *compiler) mountPoint(p string) *specs.Mount {
	for i := len(c.cfg.Mounts) - 1; i >= 0; i-- {
		if path.Clean("/"+c.cfg.Mounts[i].Destination) == p {
			return &c.cfg.Mounts[i]
		}
	}
	return nil
}
