package cgroup

import (
	"fmt"
	"strings"
)

// Plan is every directory and file write that a config asks for, in order.
type Plan struct {
	// Unit is the systemd unit to start, nil when systemd has no part in it.
	Unit *Unit `json:"unit,omitempty"`
	// Dirs are the container's groups, one for each hierarchy.
	Dirs []Dir `json:"dirs"`
	// Enable lists the version 2 controllers that Writes need in the
	// container's group, and so in cgroup.subtree_control of its ancestors.
	Enable []Enable `json:"enable,omitempty"`
	// Account lists further version 2 controllers to enable where that is
	// possible, for their statistics. Compile leaves it empty; a caller may
	// fill it. A controller that cannot be enabled is not an error.
	Account []string `json:"account,omitempty"`
	// Writes are made after Dirs and Enable. One that the kernel refuses with
	// EINVAL or EBUSY is tried again after the others: some limits bound each other.
	Writes []Write `json:"writes,omitempty"`
	// Late writes are made by Finish, when the container's process has made its last clone; see PidsLast.
	Late []Write `json:"late,omitempty"`
	// Rules is the device rule list that Devices was compiled from.
	Rules []DeviceRule `json:"rules,omitempty"`
	// Devices is the program for BPF_PROG_TYPE_CGROUP_DEVICE, an array of
	// struct bpf_insn; nil when no version 2 device filter is needed.
	Devices []byte `json:"devices,omitempty"`
	// Owner is the user of the host that the version 2 group is given to, nil for
	// none; see Delegate.
	Owner *uint32 `json:"owner,omitempty"`
	// Notes name what the config says and this host or every kernel ignores.
	Notes []string `json:"notes,omitempty"`

	checks   []check
	rootless bool // see AllowDenied
}

// Dir is a group to make.
type Dir struct {
	// Controllers live in this hierarchy; none for version 2.
	Controllers []string `json:"controllers,omitempty"`
	// Root is the hierarchy's mount point, Path the group's directory below it.
	Root string `json:"root"`
	Path string `json:"path"`
	// Optional groups carry no limit; they are left out where they cannot be made.
	Optional bool `json:"optional,omitempty"`
	// Unit: systemd makes it, for the plan's unit.
	Unit bool `json:"unit,omitempty"`
}

// Enable is a controller to hand down to the container's group.
type Enable struct {
	Controller string `json:"controller"`
	Field      string `json:"field"`
}

// Write is one write to a control file.
type Write struct {
	Controller string `json:"controller"`
	// Path is the file, absolute; Value its new content.
	Path  string `json:"path"`
	Value string `json:"value,omitempty"`
	// From, when set, is the file that the value is copied from.
	From string `json:"from,omitempty"`
	// Field is the config field behind the write.
	Field string `json:"field"`
	// SkipMissing: a kernel without this file needs no write.
	SkipMissing bool `json:"skipMissing,omitempty"`
	// Or replaces the write when the file is missing.
	Or *Write `json:"or,omitempty"`
}

// check rejects a limit below what the group uses (memory.checkBeforeUpdate).
type check struct {
	path, field string
	limit       uint64
}

// String returns the plan as text, one line for each step.
func (p *Plan) String() string {
	var b strings.Builder
	for _, d := range p.Dirs {
		b.WriteString(d.String())
	}
	if p.Unit != nil {
		b.WriteString(p.Unit.String())
	}
	above := strings.Join(p.ancestors(), ", ")
	for _, e := range p.Enable {
		fmt.Fprintf(&b, "enable %s in %s (%s)\n", e.Controller, above, e.Field)
	}
	for _, c := range p.Account {
		fmt.Fprintf(&b, "enable %s in %s, if possible\n", c, above)
	}
	for i := range p.Writes {
		b.WriteString(p.Writes[i].String() + "\n")
	}
	for i := range p.Late {
		b.WriteString(p.Late[i].String() + ", when the process has made its last clone\n")
	}
	if p.Devices != nil {
		fmt.Fprintf(&b, "attach a device filter of %d instructions\n", len(p.Devices)/insnSize)
		for _, r := range p.Rules {
			fmt.Fprintf(&b, "  %s (%s)\n", r, r.Field)
		}
	}
	for _, d := range p.Dirs {
		if p.Owner != nil && len(d.Controllers) == 0 {
			fmt.Fprintf(&b, "chown %s, and of its files those in %s, to user %d\n", d.Path, delegateFile, *p.Owner)
		}
	}
	for _, n := range p.Notes {
		fmt.Fprintf(&b, "note: %s\n", n)
	}
	return b.String()
}

// ancestors are the version 2 groups above the container's, from the root down.
func (p *Plan) ancestors() []string {
	var list []string
	for _, d := range p.Dirs {
		if len(d.Controllers) > 0 {
			continue
		}
		for i := len(d.Root); i < len(d.Path); i++ {
			if d.Path[i] == '/' {
				list = append(list, d.Path[:i])
			}
		}
	}
	return list
}

// String returns the directory's line in the plan.
func (d Dir) String() string {
	name := "cgroup v2"
	if len(d.Controllers) > 0 {
		name = strings.Join(d.Controllers, ",")
	}
	if d.Optional {
		name += ", if possible"
	}
	if d.Unit {
		name += ", by systemd"
	}
	return fmt.Sprintf("mkdir %s (%s)\n", d.Path, name)
}

// String returns the write's line in the plan.
func (w *Write) String() string {
	s := fmt.Sprintf("write %s = %q", w.Path, w.Value)
	if w.From != "" {
		s = fmt.Sprintf("copy %s to %s", w.From, w.Path)
	}
	if w.SkipMissing {
		s += ", if it exists"
	}
	if w.Or != nil {
		return fmt.Sprintf("%s, or else %s", s, w.Or)
	}
	return fmt.Sprintf("%s (%s)", s, w.Field)
}
