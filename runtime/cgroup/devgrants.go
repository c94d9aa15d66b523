package cgroup

import "slices"

// pattern is a set of devices of one type; anyNumber stands for all numbers.
type pattern struct {
	typ          DeviceType
	major, minor int64
}

// wider returns the patterns that contain p, without p.
func (p pattern) wider() []pattern {
	var w []pattern
	if p.major != anyNumber {
		w = append(w, pattern{p.typ, anyNumber, p.minor})
	}
	if p.minor != anyNumber {
		w = append(w, pattern{p.typ, p.major, anyNumber})
	}
	if p.major != anyNumber && p.minor != anyNumber {
		w = append(w, pattern{p.typ, anyNumber, anyNumber})
	}
	return w
}

// grants maps every pattern on which the rules can differ to the access that
// they grant on its devices outside of the narrower patterns.
type grants map[pattern]Access

func newGrants(rules []DeviceRule) grants {
	g := grants{}
	for _, typ := range []DeviceType{'b', 'c'} {
		majors, minors := []int64{}, []int64{}
		g[pattern{typ, anyNumber, anyNumber}] = 0
		for _, r := range rules {
			if r.Type != 'a' && r.Type != typ {
				continue
			}
			g[pattern{typ, r.Major, r.Minor}] = 0
			if r.Minor == anyNumber {
				majors = append(majors, r.Major)
			}
			if r.Major == anyNumber {
				minors = append(minors, r.Minor)
			}
		}
		// Where a rule for a major number meets one for a minor number.
		for _, major := range majors {
			for _, minor := range minors {
				g[pattern{typ, major, minor}] = 0
			}
		}
	}
	for p := range g {
		g[p] = decide(rules, p.typ, p.major, p.minor)
	}
	return g
}

// minorGrant is what is granted on one minor number.
type minorGrant struct {
	minor   int64
	granted Access
}

// majors lists the major numbers that patterns of a type name, in order.
func (g grants) majors(typ DeviceType) []int64 {
	var list []int64
	for p := range g {
		if p.typ == typ && p.major != anyNumber {
			list = append(list, p.major)
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// leaf returns what is granted on a major number: to most of its minors, and to
// those that differ, in order.
func (g grants) leaf(typ DeviceType, major int64) (Access, []minorGrant) {
	most, ok := g[pattern{typ, major, anyNumber}]
	if !ok {
		most = g[pattern{typ, anyNumber, anyNumber}]
	}
	minors := map[int64]Access{}
	for p, granted := range g {
		if p.typ != typ || p.minor == anyNumber {
			continue
		}
		if p.major == major {
			minors[p.minor] = granted
		} else if _, known := g[pattern{typ, major, p.minor}]; p.major == anyNumber && !known {
			minors[p.minor] = granted
		}
	}
	return most, sortMinors(minors, most)
}

// anyMajor returns the minors that differ whatever the major number.
func (g grants) anyMajor(typ DeviceType) []minorGrant {
	minors := map[int64]Access{}
	for p, granted := range g {
		if p.typ == typ && p.major == anyNumber && p.minor != anyNumber {
			minors[p.minor] = granted
		}
	}
	return sortMinors(minors, g[pattern{typ, anyNumber, anyNumber}])
}

// sortMinors lists the minors that are not granted what most are.
func sortMinors(minors map[int64]Access, most Access) []minorGrant {
	var list []minorGrant
	for minor, granted := range minors {
		if granted != most {
			list = append(list, minorGrant{minor, granted})
		}
	}
	slices.SortFunc(list, func(a, b minorGrant) int { return int(a.minor - b.minor) })
	return list
}
