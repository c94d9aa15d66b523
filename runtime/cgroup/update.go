package cgroup

import (
	"errors"
	"strings"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// Update changes the limits of a group that holds a container. Fields that are
// unset in r stay as they are, devices too; but two pairs are one setting in
// the kernel or in the config, so a change of one needs the other: memory.swap
// includes memory.limit, and in version 2 cpu.period comes with cpu.quota.
//
// The writes are made one after the other. On an error those before it are
// taken back, as far as the kernel tells what was set.
func (g *Group) Update(h *Host, r *specs.LinuxResources) error {
	if r == nil {
		return nil
	}
	p, err := g.planUpdate(h, r)
	if err != nil {
		return err
	}
	x := newExecutor(p)
	defer x.close()
	before := x.settings()
	err = x.run()
	if err == nil && r.Devices != nil {
		err = g.updateDevices(x, r)
	}
	if err == nil && p.Unit != nil {
		err = g.updateUnit(x, r)
	}
	if err != nil {
		_ = x.writeAll(before)
	}
	return err
}

// settings returns the writes that make again what the files of the plan's
// writes hold now: one for each line, since some files take a line a device.
func (x *executor) settings() []Write {
	var list []Write
	for i := range x.plan.Writes {
		w := x.plan.Writes[i]
		text, err := readText(w.Path)
		if err != nil && w.Or != nil {
			w = *w.Or
			text, err = readText(w.Path)
		}
		switch {
		case err != nil || text == "" && w.Controller != "cpuset":
			continue
		case text == "": // in version 2, the parent's; a write of no byte at all would do nothing
			text = "\n"
		}
		for line := range strings.Lines(text) {
			list = append(list, Write{Controller: w.Controller, Path: w.Path, Value: line, Field: w.Field})
		}
	}
	return list
}

// planUpdate plans the writes to the directories that the group has.
func (g *Group) planUpdate(h *Host, r *specs.LinuxResources) (*Plan, error) {
	b := newBuilder(h)
	b.update = true
	if b.v2 = g.Paths[""]; b.v2 != "" {
		b.plan.Dirs = append(b.plan.Dirs, Dir{Root: h.V2Root, Path: b.v2})
	}
	for _, c := range h.controllers() {
		if dir := g.Paths[c]; dir != "" {
			b.v1[c] = dir
			b.addDir(c, h.V1[c], dir)
		}
	}
	for _, d := range b.plan.Dirs {
		if d.Root == "" || !strings.HasPrefix(d.Path, d.Root+"/") {
			return nil, errorf("cannot update the container: %s is in no cgroup hierarchy of this host", d.Path)
		}
	}
	if g.Unit != nil {
		b.plan.Unit = &Unit{Name: g.Unit.Name, User: g.Unit.User}
		r = wholePercents(r)
		b.unitLimits(r)
		if r.Devices != nil {
			b.unitDevices(r.Devices)
		}
	}
	b.resources(r)
	return b.plan, b.problems()
}

// updateUnit tells systemd of the new limits. What it does about some of them
// undoes others: it denies all devices before it allows the listed ones, and
// writes every memory limit that it knows. So the runtime's own writes are made
// again, and in version 1 nothing runs meanwhile.
func (g *Group) updateUnit(x *executor, r *specs.LinuxResources) error {
	if r.Devices != nil && g.Paths["devices"] != "" {
		if frozen, err := g.Frozen(); err == nil && !frozen && g.Freeze() == nil {
			defer func() { _ = g.Thaw() }()
		}
	}
	if err := x.plan.Unit.set(); err != nil {
		return err
	}
	if err := x.writeAll(x.plan.Writes); err != nil || r.Devices == nil {
		return err
	}
	return g.updateDevices(x, r)
}

// updateDevices replaces the group's device rules.
func (g *Group) updateDevices(x *executor, r *specs.LinuxResources) error {
	b := newBuilder(nil)
	rules := b.deviceRules(r.Devices)
	if len(b.errs) > 0 {
		return errors.Join(b.errs...)
	}
	if dir := g.Paths["devices"]; dir != "" {
		return x.updateDevicesV1(dir, rules)
	}
	i := x.v2()
	if i < 0 {
		return unavailable("cannot restrict devices (linux.resources.devices): this host has no devices controller")
	}
	fd, err := x.dir(i)
	if err != nil {
		return err
	}
	var code []byte
	if !grantsAll(rules) {
		if code, err = compileFilter(rules); err != nil {
			return err
		}
	}
	if err := replaceFilter(fd, code); err != nil {
		return errorf("cannot restrict devices (linux.resources.devices): %w", err)
	}
	return nil
}

// updateDevicesV1 turns a list of allowed devices into another without denying,
// in between, what both allow. Other changes reset the group.
func (x *executor) updateDevicesV1(dir string, rules []DeviceRule) error {
	const field = "linux.resources.devices"
	allowAll, want, err := v1List(rules)
	if err != nil {
		return err
	}
	b := newBuilder(nil)
	b.v1["devices"] = dir
	now, err := readText(dir + "/devices.list")
	if err != nil {
		return errorf("cannot set %s: %w", field, err)
	}
	if allowAll || strings.Contains(now, "a *:* rwm") {
		b.devicesV1(rules)
		return x.writeAll(b.plan.Writes)
	}
	have, target := listed(now), map[string]Access{}
	for _, r := range want {
		key := r.pattern()
		if target[key] = r.Access; r.Access&^have[key] != 0 {
			b.set1("devices", "devices.allow", r.spelling(), field)
		}
	}
	for key, access := range have {
		if extra := access &^ target[key]; extra != 0 {
			b.set1("devices", "devices.deny", key+" "+extra.String(), field)
		}
	}
	return x.writeAll(b.plan.Writes)
}

// listed reads devices.list: lines of a pattern and its access.
func listed(text string) map[string]Access {
	have := map[string]Access{}
	for line := range strings.SplitSeq(text, "\n") {
		if i := strings.LastIndexByte(line, ' '); i > 0 {
			for _, c := range line[i+1:] {
				have[line[:i]] |= accessBit(c)
			}
		}
	}
	return have
}
