package cgroup

import (
	specs "github.com/opencontainers/runtime-spec/specs-go"

	"github.com/dhow-containers/dhow/runtime/internal/dbus"
)

// unitDevices plans what systemd is to know of the device rules. In version 2 its filter and the
// container's must both agree, so what it cannot express it must not restrict at all. In version 1 it writes
// the same files, now and at every daemon-reload: there the list may be too short, and the runtime's own
// writes come after.
func (b *builder) unitDevices(devices []specs.LinuxDeviceCgroup) {
	const field = "linux.resources.devices"
	rules := newBuilder(nil).deviceRules(devices) // what is wrong with them is known already
	allowAll, list, err := v1List(rules)
	exact := err == nil && !allowAll
	var entries []dbus.Value
	for _, r := range list {
		path, ok := unitDevice(r)
		if exact = exact && ok; ok && !allowAll {
			entries = append(entries, dbus.Struct(dbus.String(path), dbus.String(r.Access.String())))
		}
	}
	policy := "strict"
	if allowAll && len(list) == 0 || !exact && b.v1["devices"] == "" {
		policy, entries = "auto", nil
	}
	b.prop("DevicePolicy", dbus.String(policy), field)
	b.prop("DeviceAllow", dbus.Array("(ss)"), field) // empties the list, in an update too
	if len(entries) > 0 {
		b.prop("DeviceAllow", dbus.Array("(ss)", entries...), field)
	}
}

// unitDevice names devices as DeviceAllow does (systemd.resource-control(5)). It has no words for a minor
// number of any major one.
func unitDevice(r DeviceRule) (string, bool) {
	group, dir := "char-", "/dev/char/"
	if r.Type == 'b' {
		group, dir = "block-", "/dev/block/"
	}
	switch {
	case r.Major == anyNumber && r.Minor == anyNumber:
		return group + "*", true
	case r.Major == anyNumber:
		return "", false
	case r.Minor == anyNumber:
		return group + decimal(r.Major), true
	}
	return dir + decimal(r.Major) + ":" + decimal(r.Minor), true
}
