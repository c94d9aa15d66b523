package bpfopt

import "slices"

// verify tells whether q decides as p does, for every architecture, number and argument.
func verify(p, q program) bool {
	pf, ok1 := p.survey(false, 0)
	qf, ok2 := q.survey(false, 0)
	if !ok1 || !ok2 {
		return false
	}
	// One value for each architecture that either names, and one for all others.
	arches := append(slices.Clone(pf.arches), qf.arches...)
	other := uint32(0)
	for slices.Contains(arches, other) {
		other++
	}
	arches = append(arches, other)
	slices.Sort(arches)
	same := sameness{p: p, q: q, known: map[[2]int]bool{}}
	for _, arch := range slices.Compact(arches) {
		pf, ok1 := p.survey(true, arch)
		qf, ok2 := q.survey(true, arch)
		if !ok1 || !ok2 {
			return false
		}
		// Between two edges of either, neither changes its mind.
		edges := append(append(pf.edges, qf.edges...), 0)
		slices.Sort(edges)
		for _, nr := range slices.Compact(edges) {
			if !same.outcomes(p.evaluate(arch, nr), q.evaluate(arch, nr)) {
				return false
			}
		}
	}
	return true
}

// sameness compares pieces of two programs.
type sameness struct {
	p, q  program
	known map[[2]int]bool // pairs of places found to do the same
}

func (s *sameness) outcomes(a, b outcome) bool {
	if a.returns || b.returns {
		return a == b
	}
	return s.places(a.pc, b.pc)
}

// places tells whether p from pc on does what q does from qc on: the same instructions, but for the
// lengths of jumps.
func (s *sameness) places(pc, qc int) bool {
	for s.p[pc].Code == opJA {
		pc += 1 + int(s.p[pc].K)
	}
	for s.q[qc].Code == opJA {
		qc += 1 + int(s.q[qc].K)
	}
	pair := [2]int{pc, qc}
	if s.known[pair] {
		return true
	}
	a, b := s.p[pc], s.q[qc]
	if a.Code != b.Code || a.K != b.K {
		return false
	}
	same := true
	switch a.Code {
	case opRet:
	case opLoad, opAnd:
		same = s.places(pc+1, qc+1)
	default:
		same = s.places(s.p.jump(pc, true), s.q.jump(qc, true)) && s.places(s.p.jump(pc, false), s.q.jump(qc, false))
	}
	s.known[pair] = same
	return same
}
