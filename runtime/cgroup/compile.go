package cgroup

import (
	"errors"
	"path"
	"sort"
	"strings"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// Compile plans the control groups of the container id. cgroupsPath and r are
// linux.cgroupsPath and linux.resources of its config; r may be nil. Every
// problem of the config is reported at once.
//
// Errors: InvalidArgument for a config that no host accepts, NotImplemented for
// one that asks for what h does not have (both in the sense of
// github.com/containerd/errdefs).
func Compile(h *Host, cgroupsPath, id string, r *specs.LinuxResources) (*Plan, error) {
	at, err := newPlace(cgroupsPath, id)
	if err != nil {
		return nil, err
	}
	b := newBuilder(h)
	if err := b.compile(at, r); err != nil {
		return nil, err
	}
	return b.plan, b.problems()
}

// compile plans the directories and writes of a container.
func (b *builder) compile(at place, r *specs.LinuxResources) error {
	if err := b.dirs(at); err != nil {
		return err
	}
	b.inheritCpuset(r)
	b.resources(r)
	b.devices(r)
	b.markOptional()
	return nil
}

// problems are all that was found wrong.
func (b *builder) problems() error { return errors.Join(b.errs...) }

// builder collects a Plan.
type builder struct {
	host   *Host
	plan   *Plan
	v1     map[string]string // controller → the container's directory
	v2     string            // the container's version 2 directory
	update bool              // the group exists and holds the container
	errs   []error

	reported map[string]bool // controllers that are missing, said once each
}

func newBuilder(h *Host) *builder {
	return &builder{host: h, plan: &Plan{}, v1: map[string]string{}, reported: map[string]bool{}}
}

// dirs plans the container's directory in each hierarchy.
func (b *builder) dirs(at place) error {
	if root := b.host.V2Root; root != "" {
		dir, err := at.in(b.host, "", root)
		if err != nil {
			return err
		}
		b.v2 = dir
		b.plan.Dirs = append(b.plan.Dirs, Dir{Root: root, Path: dir, Unit: b.plan.Unit != nil && b.host.Mode == Unified})
	}
	for _, c := range b.host.controllers() {
		root := b.host.V1[c]
		dir, err := at.in(b.host, c, root)
		if err != nil {
			return err
		}
		b.v1[c] = dir
		b.addDir(c, root, dir)
	}
	return nil
}

// addDir plans a version 1 directory, once for controllers mounted together.
func (b *builder) addDir(controller, root, dir string) {
	for i := range b.plan.Dirs {
		if d := &b.plan.Dirs[i]; d.Path == dir && len(d.Controllers) > 0 {
			d.Controllers = append(d.Controllers, controller)
			return
		}
	}
	unit := b.plan.Unit != nil && controller == systemdHierarchy
	b.plan.Dirs = append(b.plan.Dirs, Dir{Controllers: []string{controller}, Root: root, Path: dir, Unit: unit})
}

// systemdHierarchy is where systemd keeps its units on a host with version 1.
const systemdHierarchy = "name=systemd"

// controllers returns the version 1 controllers in a stable order: the known
// ones, then named hierarchies.
func (h *Host) controllers() []string {
	list := make([]string, 0, len(h.V1))
	for _, c := range v1Controllers {
		if h.V1[c] != "" {
			list = append(list, c)
		}
	}
	known := len(list)
	for c := range h.V1 {
		if strings.HasPrefix(c, "name=") {
			list = append(list, c)
		}
	}
	sort.Strings(list[known:])
	return list
}

// resources plans every limit except devices.
func (b *builder) resources(r *specs.LinuxResources) {
	if r == nil {
		return
	}
	b.memory(r.Memory)
	b.cpu(r.CPU)
	b.cpuset(r.CPU)
	b.pids(r.Pids)
	b.blockIO(r.BlockIO)
	b.hugepages(r.HugepageLimits)
	b.network(r.Network)
	b.rdma(r.Rdma)
	b.unified(r.Unified)
}

// onV1 tells whether a controller is mounted as version 1.
func (b *builder) onV1(controller string) bool { return b.v1[controller] != "" }

// set1 plans a write to a version 1 controller that the host has. The result
// is for setting options before the next write is planned.
func (b *builder) set1(controller, file, value, field string) *Write {
	return b.add(Write{Controller: controller, Path: b.v1[controller] + "/" + file, Value: value, Field: field})
}

// set2 plans a write to a version 2 controller, which it enables.
func (b *builder) set2(controller, file, value, field string) *Write {
	if !b.need(controller, field) {
		return &Write{}
	}
	return b.add(Write{Controller: controller, Path: b.v2 + "/" + file, Value: value, Field: field})
}

func (b *builder) add(w Write) *Write {
	b.plan.Writes = append(b.plan.Writes, w)
	return &b.plan.Writes[len(b.plan.Writes)-1]
}

// need enables a version 2 controller, or reports that the host lacks it.
func (b *builder) need(controller, field string) bool {
	available, err := b.host.available()
	if err != nil {
		b.errs = append(b.errs, err)
		return false
	}
	if b.v2 == "" || !contains(available, controller) {
		if !b.reported[controller] {
			b.errs = append(b.errs, b.lacks(controller, field, available))
		}
		b.reported[controller] = true
		return false
	}
	for _, e := range b.plan.Enable {
		if e.Controller == controller {
			return true
		}
	}
	b.plan.Enable = append(b.plan.Enable, Enable{controller, field})
	return true
}

// lacks is the error for a limit that no controller of this host can hold.
func (b *builder) lacks(controller, field string, available []string) error {
	v2 := strings.Join(available, " ")
	if v2 == "" {
		v2 = "none"
	}
	where := "in cgroup v2 (available: " + v2 + ")"
	if b.host.Mode != Unified && !strings.HasPrefix(field, fieldUnified) {
		where = "in cgroup v1 (mounted: " + strings.Join(b.host.controllers(), " ") + ")"
		if b.host.V2Root != "" {
			where += " or v2 (available: " + v2 + ")"
		}
	}
	if b.host.V1[controller] != "" { // and it was asked for by unified
		where += "; it has one in cgroup v1, for which linux.resources.unified is an invalid configuration"
	}
	return unavailable("cannot limit %s (%s): this host has no %s controller %s", controller, field, controller, where)
}

// fail reports a problem of the config field.
func (b *builder) fail(field, format string, args ...any) {
	b.errs = append(b.errs, badConfig("cannot set %s: "+format, append([]any{field}, args...)...))
}

// v1Only reports a setting that version 2 does not have.
func (b *builder) v1Only(field string) {
	b.errs = append(b.errs, unavailable("cannot set %s: cgroup v2 has no such setting", field))
}

func (b *builder) note(s string) { b.plan.Notes = append(b.plan.Notes, s) }

// markOptional finds the version 1 groups that the config asks nothing of, and
// on a hybrid host the version 2 one.
func (b *builder) markOptional() {
	asked := map[string]bool{}
	for _, w := range b.plan.Writes {
		if w.From == "" {
			asked[path.Dir(w.Path)] = true
		}
	}
	for i := range b.plan.Dirs {
		d := &b.plan.Dirs[i]
		v2 := len(d.Controllers) == 0
		d.Optional = !d.Unit && !asked[d.Path] && !(v2 && (b.host.Mode == Unified || b.plan.Devices != nil))
	}
}

func contains(list []string, s string) bool {
	for _, v := range list {
		if v == s {
			return true
		}
	}
	return false
}
