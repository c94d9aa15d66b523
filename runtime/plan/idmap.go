package plan

import (
	"fmt"
	"strings"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// IDMap says which ids the files of a mount appear with (mount_setattr(2), "ID-mapped mounts"): those that a
// user namespace shows outside for the ids on the file system.
type IDMap struct {
	UID, GID  []specs.LinuxIDMapping // of a user namespace that is made for it
	Path      string                 // of an existing user namespace, instead
	Recursive bool                   // the submounts too
	Field     string                 // who asked for it
}

// idMap is the mapping of m, nil for none. With an option and no mappings of its own a mount gets those of
// the container (config.md, "POSIX-platform Mounts").
func (c *compiler) idMap(m *mount) *IDMap {
	switch own := len(m.UIDMappings)+len(m.GIDMappings) > 0; {
	case own:
		return &IDMap{UID: m.UIDMappings, GID: m.GIDMappings, Recursive: m.idmap.recursive, Field: m.field + ".uidMappings"}
	case m.idmap.field == "":
		return nil
	case m.idmap.own != nil:
		return &IDMap{UID: m.idmap.own.UID, GID: m.idmap.own.GID, Recursive: m.idmap.recursive, Field: m.idmap.field}
	default:
		id := &IDMap{UID: c.linux.UIDMappings, GID: c.linux.GIDMappings, Recursive: m.idmap.recursive, Field: m.idmap.field}
		if ns := c.namespace(specs.UserNamespace); ns != nil && ns.Path != "" {
			id.UID, id.GID, id.Path = nil, nil, ns.Path
		}
		return id
	}
}

// idmapOption is the option idmap or ridmap of a mount, with its place in the config.
type idmapOption struct {
	recursive bool
	field     string
	own       *IDMap // mappings in the option itself, as crun has it; nil without
}

// String spells the mapping for `runtime plan`.
func (m *IDMap) String() string {
	text := "MOUNT_ATTR_IDMAP"
	if m.Recursive {
		text = "AT_RECURSIVE, " + text
	}
	if m.Path != "" {
		return fmt.Sprintf("mount_setattr(%s, user namespace %s)", text, m.Path)
	}
	return fmt.Sprintf("mount_setattr(%s, {uids %s; gids %s})", text, idRanges(m.UID), idRanges(m.GID))
}

// idRanges spells mappings as uid_map has them (user_namespaces(7)).
func idRanges(list []specs.LinuxIDMapping) string {
	parts := make([]string, 0, len(list))
	for _, r := range list {
		parts = append(parts, fmt.Sprintf("%d %d %d", r.ContainerID, r.HostID, r.Size))
	}
	return strings.Join(parts, ", ")
}

// CompileHolder makes the Program of a process that does nothing but be in a new user namespace, until the
// parent hangs up.
func CompileHolder() *Program {
	c := newCompiler(&Input{Config: &specs.Spec{}})
	c.p.Clone = unix.CLONE_NEWUSER
	c.doing("hold a user namespace", "")
	c.prctl(unix.PR_SET_DUMPABLE, num(0))
	c.rendezvous(Created)
	c.op(Exit, num(0))
	return c.finish()
}
