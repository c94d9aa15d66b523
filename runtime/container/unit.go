package container

import (
	"fmt"
	"maps"
	"strings"

	specs "github.com/opencontainers/runtime-spec/specs-go"

	"github.com/dhow-containers/dhow/runtime/cgroup"
	"github.com/dhow-containers/dhow/spec/json"
)

// group is the container's control group, with the systemd unit that it belongs to.
func (r *record) group() *cgroup.Group {
	g := cgroup.Open(r.Cgroups)
	g.Unit = r.Unit
	return g
}

func appendUnit(b []byte, u *cgroup.Unit) []byte {
	b = append(b, `,"unit":{"name":`...)
	b = appendString(b, u.Name)
	if u.User {
		b = append(b, `,"user":true`...)
	}
	return append(b, '}')
}

func decodeUnit(d *json.Decoder) *cgroup.Unit {
	u := &cgroup.Unit{}
	if !d.Object() {
		return u
	}
	for d.Next() {
		switch d.Name() {
		case "name":
			d.String(&u.Name)
		case "user":
			d.Bool(&u.User)
		default:
			d.Ignore()
		}
	}
	return u
}

// compileCgroups plans control groups by the driver that the caller wants. The systemd of the host takes orders
// from its root only; others have one of their own.
func (s *Store) compileCgroups(host *cgroup.Host, id, path string, annotations map[string]string, r *specs.LinuxResources) (*cgroup.Plan, error) {
	if !s.SystemdCgroup {
		return cgroup.Compile(host, path, id, r)
	}
	o := cgroup.UnitOptions{ID: id, CgroupsPath: path, Annotations: annotations, User: s.isRootless()}
	return cgroup.CompileUnit(host, o, r)
}

// enterUnit starts the container's systemd unit with its first process, and writes the limits.
func (m *making) enterUnit() error {
	failpoint("unit")
	if err := m.cgroups.Start(m.group, m.proc.Pid); err != nil {
		return err
	}
	failpoint("unit-started")
	return nil
}

// attach puts the process of an exec into the unit of the container.
func (e *entering) attach() error {
	sub, below := strings.CutPrefix(e.group.Paths[""], e.Cgroups[""])
	if !below {
		return fmt.Errorf("internal error: %s is not below %s", e.group.Paths[""], e.Cgroups[""])
	}
	return e.Unit.Attach(sub, e.proc.Pid)
}

// withOOMGroup adds memory.oom.group of the config to a change of memory limits. systemd has no property for it in
// a scope, and writes its own idea of it together with the limits.
func withOOMGroup(change, old *specs.LinuxResources) *specs.LinuxResources {
	const key = "memory.oom.group"
	value, set := old.Unified[key]
	if _, changed := change.Unified[key]; !set || changed {
		return change
	}
	c := *change
	if c.Unified = maps.Clone(change.Unified); c.Unified == nil {
		c.Unified = map[string]string{}
	}
	c.Unified[key] = value
	return &c
}
