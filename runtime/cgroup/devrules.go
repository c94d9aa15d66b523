package cgroup

import (
	"math"
	"strings"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// Access is a set of the ways to use a device, with the bits of
// BPF_DEVCG_ACC_* (linux/bpf.h).
type Access uint8

// The access bits.
const (
	AccessMknod Access = 1 << iota
	AccessRead
	AccessWrite
	allAccess = AccessMknod | AccessRead | AccessWrite
)

// DeviceType is 'b', 'c', or 'a' for both.
type DeviceType byte

// MarshalText spells the type as its letter.
func (t DeviceType) MarshalText() ([]byte, error) { return []byte{byte(t)}, nil }

// anyNumber is a major or minor number that matches every device.
const anyNumber = -1

// DeviceRule is one rule of a device list.
type DeviceRule struct {
	Allow bool `json:"allow"`
	// Type is what kind of device node the rule is about.
	Type DeviceType `json:"type"`
	// Major and Minor are device numbers, -1 for any.
	Major int64 `json:"major"`
	Minor int64 `json:"minor"`
	// Access is what the rule speaks for.
	Access Access `json:"access"`
	// Field is the config field that the rule comes from.
	Field string `json:"field"`
}

// MarshalText spells the access as String does.
func (a Access) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// String returns the access in the order r, w, m.
func (a Access) String() string {
	var b strings.Builder
	for _, f := range []struct {
		bit  Access
		name byte
	}{{AccessRead, 'r'}, {AccessWrite, 'w'}, {AccessMknod, 'm'}} {
		if a&f.bit != 0 {
			b.WriteByte(f.name)
		}
	}
	return b.String()
}

// String returns the rule as "allow c 1:3 rwm".
func (r DeviceRule) String() string {
	verb := "deny "
	if r.Allow {
		verb = "allow "
	}
	return verb + r.spelling()
}

// spelling is the rule in the syntax of devices.allow, "c 1:* rw".
func (r DeviceRule) spelling() string { return r.pattern() + " " + r.Access.String() }

// pattern is the part of the spelling that says which devices.
func (r DeviceRule) pattern() string {
	return string(r.Type) + " " + number(r.Major) + ":" + number(r.Minor)
}

func number(n int64) string {
	if n == anyNumber {
		return "*"
	}
	return decimal(n)
}

// matches tells whether the rule is about every device of another pattern.
func (r DeviceRule) matches(typ DeviceType, major, minor int64) bool {
	return (r.Type == 'a' || r.Type == typ) &&
		(r.Major == anyNumber || r.Major == major) &&
		(r.Minor == anyNumber || r.Minor == minor)
}

// everything tells whether the rule decides all that came before it.
func (r DeviceRule) everything() bool {
	return r.Type == 'a' && r.Major == anyNumber && r.Minor == anyNumber && r.Access == allAccess
}

// defaultRule is a rule of the runtime.
func defaultRule(typ DeviceType, major, minor int64, access Access) DeviceRule {
	return DeviceRule{true, typ, major, minor, access, "default devices"}
}

// DefaultDeviceRules are appended to every container's rules, as in runc
// (libcontainer/specconv AllowedDevices): making device nodes, the devices that
// the specification puts into every container, pseudo terminals (/dev/console
// is one), and /dev/net/tun, which runc kept for its users.
func DefaultDeviceRules() []DeviceRule {
	return []DeviceRule{
		defaultRule('c', anyNumber, anyNumber, AccessMknod),
		defaultRule('b', anyNumber, anyNumber, AccessMknod),
		defaultRule('c', 1, 3, allAccess),           // null
		defaultRule('c', 1, 8, allAccess),           // random
		defaultRule('c', 1, 7, allAccess),           // full
		defaultRule('c', 5, 0, allAccess),           // tty
		defaultRule('c', 1, 5, allAccess),           // zero
		defaultRule('c', 1, 9, allAccess),           // urandom
		defaultRule('c', 136, anyNumber, allAccess), // pts/*
		defaultRule('c', 5, 2, allAccess),           // ptmx
		defaultRule('c', 10, 200, allAccess),        // net/tun
	}
}

// maxRules bounds the work on a list, which grows with the square of its length.
const maxRules = 4096

// deviceRules reads the config's rules and appends the defaults.
func (b *builder) deviceRules(list []specs.LinuxDeviceCgroup) []DeviceRule {
	if len(list) > maxRules {
		b.errs = append(b.errs, badConfig("cannot restrict devices (linux.resources.devices): %d rules are more than %d", len(list), maxRules))
		return nil
	}
	rules := make([]DeviceRule, 0, len(list)+11)
	for i, d := range list {
		rule, err := deviceRule(d, "linux.resources.devices"+index(i))
		if err != nil {
			b.errs = append(b.errs, err)
		}
		rules = append(rules, rule)
	}
	return append(rules, DefaultDeviceRules()...)
}

// deviceRule reads one rule. As in runc, access must be given and -1 is any number.
func deviceRule(d specs.LinuxDeviceCgroup, field string) (DeviceRule, error) {
	r := DeviceRule{Allow: d.Allow, Type: 'a', Major: anyNumber, Minor: anyNumber, Field: field}
	switch d.Type {
	case "", "a":
	case "b", "c":
		r.Type = DeviceType(d.Type[0])
	default:
		return r, badConfig("cannot use %s.type: %q is not a, b or c", field, d.Type)
	}
	for _, n := range []struct {
		name string
		from *int64
		to   *int64
	}{{"major", d.Major, &r.Major}, {"minor", d.Minor, &r.Minor}} {
		if n.from == nil {
			continue
		}
		if *n.to = *n.from; *n.from < anyNumber || *n.from > math.MaxUint32 {
			return r, badConfig("cannot use %s.%s: %d is not a device number", field, n.name, *n.from)
		}
	}
	for _, c := range strings.ReplaceAll(d.Access, "a", "") { // see package spec
		bit := accessBit(c)
		if bit == 0 {
			return r, badConfig("cannot use %s.access: %q is not made of r, w and m", field, d.Access)
		}
		r.Access |= bit
	}
	if r.Access == 0 {
		return r, badConfig("cannot use %s.access: it is empty", field)
	}
	return r, nil
}

// accessBit returns the bit of a letter, 0 for another one.
func accessBit(c rune) Access {
	switch c {
	case 'r':
		return AccessRead
	case 'w':
		return AccessWrite
	case 'm':
		return AccessMknod
	}
	return 0
}

// decide returns which access the rules grant on devices of a pattern that no
// more specific rule matches.
func decide(rules []DeviceRule, typ DeviceType, major, minor int64) Access {
	var granted, open Access = 0, allAccess
	for i := len(rules) - 1; i >= 0 && open != 0; i-- {
		if r := &rules[i]; r.matches(typ, major, minor) {
			if r.Allow {
				granted |= open & r.Access
			}
			open &^= r.Access
		}
	}
	return granted
}

// grantsAll tells whether the rules allow every access to every device.
func grantsAll(rules []DeviceRule) bool {
	for i := len(rules) - 1; i >= 0; i-- {
		if !rules[i].Allow {
			return false
		}
		if rules[i].everything() {
			return true
		}
	}
	return false
}

// devices plans the device filter where the host can hold one. A container
// without rules of its own gets the default devices only, as in runc.
func (b *builder) devices(r *specs.LinuxResources) {
	var list []specs.LinuxDeviceCgroup
	if r != nil {
		list = r.Devices
	}
	before := len(b.errs)
	rules := b.deviceRules(list)
	switch {
	case len(b.errs) > before:
	case b.onV1("devices"):
		b.devicesV1(rules)
	case grantsAll(rules):
	case b.v2 == "" && b.host.Rootless:
		b.plan.Notes = append(b.plan.Notes, "no device rules: this host has no devices controller (linux.resources.devices)")
	case b.v2 == "":
		b.errs = append(b.errs, unavailable("cannot restrict devices (linux.resources.devices): this host has no devices controller"))
	default:
		prog, err := compileFilter(rules)
		if err != nil {
			b.errs = append(b.errs, err)
			return
		}
		b.plan.Rules, b.plan.Devices = rules, prog
	}
}
