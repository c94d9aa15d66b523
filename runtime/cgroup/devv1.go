package cgroup

import "sort"

// exceptions returns the list of exceptions to "deny all" (allow true) or
// "allow all" (allow false) that says the same as g. The kernel's list is
// monotone: an exception cannot be narrowed again, so not every g has one.
//
// In a list of allowed devices a request needs one exception that covers all of
// its bits, in a list of denied ones any bit of any exception refuses it
// (security/device_cgroup.c); so the former repeats bits and the latter need not.
func (g grants) exceptions(allow bool) ([]DeviceRule, bool) {
	says := func(p pattern) Access {
		if allow {
			return g[p]
		}
		return allAccess &^ g[p]
	}
	var list []DeviceRule
	for p := range g {
		mine, known := says(p), false
		var inherited Access
		for _, w := range p.wider() {
			if _, ok := g[w]; !ok {
				continue
			}
			theirs := says(w)
			if theirs&^mine != 0 {
				return nil, false
			}
			inherited |= theirs
			known = known || theirs == mine
		}
		if !allow {
			mine &^= inherited
		}
		if mine != 0 && !known {
			list = append(list, DeviceRule{Allow: allow, Type: p.typ, Major: p.major, Minor: p.minor, Access: mine})
		}
	}
	sortRules(list)
	return list, true
}

func sortRules(list []DeviceRule) {
	sort.Slice(list, func(i, j int) bool {
		a, b := &list[i], &list[j]
		switch {
		case a.Type != b.Type:
			return a.Type < b.Type
		case a.Major != b.Major:
			return a.Major < b.Major
		default:
			return a.Minor < b.Minor
		}
	})
}

// v1List is what a version 1 devices group is to hold: a default and the
// exceptions to it.
func v1List(rules []DeviceRule) (allowAll bool, exceptions []DeviceRule, err error) {
	if grantsAll(rules) {
		return true, nil, nil
	}
	g := newGrants(rules)
	if list, ok := g.exceptions(true); ok {
		return false, list, nil
	}
	if list, ok := g.exceptions(false); ok {
		return true, list, nil
	}
	return false, nil, unavailable("cannot restrict devices (linux.resources.devices): " +
		"cgroup v1 cannot deny part of what a wider rule allows")
}

// devicesV1 plans the writes that reset a group and fill in its exceptions.
func (b *builder) devicesV1(rules []DeviceRule) {
	const field = "linux.resources.devices"
	allowAll, list, err := v1List(rules)
	if err != nil {
		b.errs = append(b.errs, err)
		return
	}
	reset, file := "devices.deny", "devices.allow"
	if allowAll {
		reset, file = file, reset
	}
	b.set1("devices", reset, "a", field)
	for _, r := range list {
		b.set1("devices", file, r.spelling(), field)
	}
}
