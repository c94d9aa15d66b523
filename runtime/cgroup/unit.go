package cgroup

import (
	"fmt"
	"path"
	"strings"

	specs "github.com/opencontainers/runtime-spec/specs-go"

	"github.com/dhow-containers/dhow/runtime/internal/dbus"
)

// Unit is the transient systemd unit that holds a container: a scope, which systemd makes around the
// container's first process and gives up when the last one is gone; or, for a name that ends so, a slice.
type Unit struct {
	Name string `json:"name"`
	// User: it belongs to the systemd of this user, not to that of the host.
	User bool `json:"user,omitempty"`
	// Slice is what it is in. Properties are those of StartTransientUnit, but for the processes.
	Slice      string     `json:"slice,omitempty"`
	Properties []Property `json:"properties,omitempty"`
	// Late are properties that the unit gets with the plan's late writes.
	Late []Property `json:"late,omitempty"`
}

// Property is a setting of a unit, as systemd's D-Bus interface has it (org.freedesktop.systemd1(5)).
type Property struct {
	Name  string     `json:"name"`
	Value dbus.Value `json:"value"`
	// Field is the config field behind it, "" for the runtime's own.
	Field string `json:"field,omitempty"`
	// Since is the version of systemd that understands it. Zero: all that are old enough for our kernels,
	// 244 and later.
	Since int `json:"since,omitempty"`
}

// UnitOptions are what a unit depends on besides the resources.
type UnitOptions struct {
	ID          string
	CgroupsPath string            // linux.cgroupsPath: slice:prefix:name
	Annotations map[string]string // of the config; those named org.systemd.property.NAME are properties
	User        bool              // the unit is for the systemd of this user
}

// defaultPrefix begins the names of units when linux.cgroupsPath gives none. As in runc and crun, it is the
// name of the program whose units they are.
const defaultPrefix = "dhow"

// CompileUnit plans the control groups of a container that systemd is to hold in a unit. For the systemd of
// a user it asks that for its own place. Errors are those of Compile.
func CompileUnit(h *Host, o UnitOptions, r *specs.LinuxResources) (*Plan, error) {
	u, err := newUnit(o)
	if err != nil {
		return nil, err
	}
	slice, err := expandSlice(u.Slice)
	if err != nil {
		return nil, err
	}
	if o.User {
		if h.Mode != Unified {
			return nil, unavailable("cannot use --systemd-cgroup: the systemd of a user holds containers with cgroup v2 only")
		}
		above, err := userManagerGroup()
		if err != nil {
			return nil, err
		}
		slice = path.Join(above, slice)
	}
	at, err := newPlace(path.Join("/", slice, u.Name), o.ID)
	if err != nil {
		return nil, err
	}
	r = wholePercents(r)
	b := newBuilder(h)
	b.plan.Unit = u
	if err := b.compile(at, r); err != nil {
		return nil, err
	}
	b.ownUnit(o)
	b.unitLimits(r)
	var devices []specs.LinuxDeviceCgroup
	if r != nil {
		devices = r.Devices
	}
	b.unitDevices(devices)
	b.annotations(o.Annotations)
	return b.plan, b.problems()
}

// newUnit takes slice:prefix:name apart; slice and prefix may be empty.
func newUnit(o UnitOptions) (*Unit, error) {
	const field = "linux.cgroupsPath"
	slice, prefix, name := "", defaultPrefix, o.ID
	if o.CgroupsPath != "" {
		parts := strings.Split(o.CgroupsPath, ":")
		if len(parts) != 3 {
			return nil, badConfig("cannot use %s: expected cgroupsPath to be of format \"slice:prefix:name\" for systemd cgroups, got %q instead",
				field, o.CgroupsPath)
		}
		slice, prefix, name = parts[0], parts[1], parts[2]
	}
	if name == "" {
		return nil, badConfig("cannot use %s %q: the name is empty", field, o.CgroupsPath)
	}
	u := &Unit{Name: name, User: o.User, Slice: slice}
	if !u.isSlice() {
		u.Name = prefix + "-" + name + ".scope"
	}
	if slice == "" {
		if u.Slice = "system.slice"; o.User {
			u.Slice = "user.slice"
		}
	}
	if !validUnitName(u.Name) {
		return nil, badConfig("cannot use %s: systemd takes no unit name %q: only letters, digits and : _ . \\ - are allowed, and at most 255", field, u.Name)
	}
	return u, nil
}

func (u *Unit) isSlice() bool { return strings.HasSuffix(u.Name, ".slice") }

// validUnitName says what systemd takes for the name of a unit (systemd.unit(5)).
func validUnitName(s string) bool {
	for i := 0; i < len(s); i++ {
		c := s[i]
		alnum := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		if !alnum && strings.IndexByte(`:_.\-`, c) < 0 {
			return false
		}
	}
	return len(s) <= 255
}

// expandSlice returns the path of a slice below the root: a-b.slice is a.slice/a-b.slice (systemd.slice(5)).
func expandSlice(slice string) (string, error) {
	name, ok := strings.CutSuffix(slice, ".slice")
	if slice == "-" || slice == "-.slice" {
		return "/", nil
	}
	if !ok || name == "" || !validUnitName(slice) {
		return "", badConfig("cannot use linux.cgroupsPath: %q is not the name of a slice", slice)
	}
	full, prefix := "", ""
	for part := range strings.SplitSeq(name, "-") {
		if part == "" {
			return "", badConfig("cannot use linux.cgroupsPath: %q is not the name of a slice: it has an empty part", slice)
		}
		full += "/" + prefix + part + ".slice"
		prefix += part + "-"
	}
	return full, nil
}

// String returns the unit's lines in the plan.
func (u *Unit) String() string {
	var b strings.Builder
	of := ""
	if u.User {
		of = " of the user"
	}
	fmt.Fprintf(&b, "start systemd unit %s%s in %s (linux.cgroupsPath)\n", u.Name, of, u.Slice)
	for _, p := range u.Properties {
		fmt.Fprintf(&b, "  %s = %s", p.Name, p.Value)
		if p.Field != "" {
			fmt.Fprintf(&b, " (%s)", p.Field)
		}
		if p.Since > 0 {
			fmt.Fprintf(&b, ", from systemd %d", p.Since)
		}
		b.WriteByte('\n')
	}
	return b.String()
}
