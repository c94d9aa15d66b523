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

// majors lists the major numbers that patterns of a type name, in order, each
// with the minor numbers named for it. Those named for any major number are
// under anyNumber, which comes first.
func (g grants) majors(typ DeviceType) ([]int64, map[int64][]int64) {
	minors := map[int64][]int64{anyNumber: nil}
	for p := range g {
		if p.typ != typ {
			continue
		}
		list := minors[p.major]
		if p.minor != anyNumber {
			list = append(list, p.minor)
		}
		minors[p.major] = list
	}
	order := make([]int64, 0, len(minors))
	for major := range minors {
		order = append(order, major)
	}
	slices.Sort(order)
	return order, minors
}

// leaf returns what is granted on a major number: to most of its minors, and to
// those of its own and of any major number that differ, in order.
func (g grants) leaf(typ DeviceType, major int64, own, anyMajor []int64) (Access, []minorGrant) {
	most, ok := g[pattern{typ, major, anyNumber}]
	if !ok {
		most = g[pattern{typ, anyNumber, anyNumber}]
	}
	minors := map[int64]Access{}
	for _, minor := range anyMajor {
		minors[minor] = g[pattern{typ, anyNumber, minor}]
	}
	for _, minor := range own {
		minors[minor] = g[pattern{typ, major, minor}]
	}
	return most, sortMinors(minors, most)
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
