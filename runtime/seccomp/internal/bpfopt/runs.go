package bpfopt

import "slices"

// run is a run of numbers with the same outcome; it reaches to the next one.
type run struct {
	from uint32
	to   outcome
}

// class is an architecture, or all those that the program has no name for, and what happens to its numbers.
type class struct {
	arch uint32
	runs []run
}

// classes evaluates p for every architecture and number. The last class is that of all other architectures.
func (p program) classes() ([]class, bool) {
	f, ok := p.survey(false, 0)
	if !ok || len(f.arches) == 0 {
		return nil, false
	}
	var list []class
	seen := map[uint32]bool{}
	other := uint32(0)
	for _, arch := range f.arches {
		if seen[arch] {
			continue
		}
		seen[arch] = true
		list = append(list, class{arch: arch})
	}
	for seen[other] {
		other++
	}
	list = append(list, class{arch: other})
	for i := range list {
		f, ok := p.survey(true, list[i].arch)
		if !ok {
			return nil, false
		}
		list[i].runs = p.runs(list[i].arch, f.edges)
	}
	return list, true
}

// runs evaluates p for an architecture, between every two edges.
func (p program) runs(arch uint32, edges []uint32) []run {
	edges = append([]uint32{0}, edges...)
	slices.Sort(edges)
	var runs []run
	for _, edge := range slices.Compact(edges) {
		to := p.evaluate(arch, edge)
		if n := len(runs); n == 0 || runs[n-1].to != to {
			runs = append(runs, run{edge, to})
		}
	}
	return runs
}
