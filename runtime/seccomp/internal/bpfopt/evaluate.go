package bpfopt

// outcome is how a run with a known architecture and number ends.
type outcome struct {
	returns bool   // with value
	value   uint32 // otherwise at pc, which loads something unknown
	pc      int
}

// evaluate runs p. survey must have accepted p for arch.
func (p program) evaluate(arch, nr uint32) outcome {
	a := uint32(0) // as the kernel starts it
	for pc := 0; ; {
		in := p[pc]
		switch in.Code {
		case opRet:
			return outcome{returns: true, value: in.K}
		case opLoad:
			switch in.K {
			case offArch:
				a = arch
			case offNr:
				a = nr
			default:
				return outcome{pc: pc}
			}
			pc++
		case opJA:
			pc += 1 + int(in.K)
		default:
			pc = p.jump(pc, holds(in, a))
		}
	}
}

// What the accumulator may hold.
const (
	isNr = 1 << iota
	isArch
	isStart // the zero before the first load
)

// facts is what a survey finds.
type facts struct {
	arches []uint32 // values that the architecture is compared with, in the program's order
	edges  []uint32 // numbers at which a comparison of the number may change its mind
}

// survey looks at every instruction that may run before anything unknown is loaded; known says that
// the architecture is arch. It fails if the program computes with the architecture or the number in
// ways other than libseccomp's.
func (p program) survey(known bool, arch uint32) (f facts, ok bool) {
	holding := make([]int, len(p)) // jumps go forward only: one pass meets every path
	holding[0] = isStart
	for pc, in := range p {
		h := holding[pc]
		if h == 0 {
			continue
		}
		switch in.Code {
		case opRet:
		case opLoad:
			switch in.K {
			case offArch:
				holding[pc+1] |= isArch
			case offNr:
				holding[pc+1] |= isNr
			}
		case opJA:
			holding[pc+1+int(in.K)] |= h
		case opAnd:
			return facts{}, false
		default:
			if !f.compare(in.Code, in.K, h) {
				return facts{}, false
			}
			yes, no := true, true
			if known && h == isArch {
				yes = holds(in, arch)
				no = !yes
			}
			if yes {
				holding[p.jump(pc, true)] |= h
			}
			if no {
				holding[p.jump(pc, false)] |= h
			}
		}
	}
	return f, true
}

// compare notes a comparison of what the accumulator may hold.
func (f *facts) compare(code uint16, k uint32, holding int) bool {
	if holding&isStart != 0 {
		return false
	}
	if holding&isArch != 0 {
		if code != opJEQ {
			return false
		}
		f.arches = append(f.arches, k)
	}
	if holding&isNr == 0 {
		return true
	}
	if code != opJSET {
		f.edges = append(f.edges, k, k+1)
		return true
	}
	// The lowest bit of the mask changes most often. x32's bit 30 makes four edges; more than some is
	// nothing that libseccomp does.
	step := uint64(k & -k)
	if step < 1<<26 {
		return false
	}
	for edge := step; edge < 1<<32; edge += step {
		f.edges = append(f.edges, uint32(edge))
	}
	return true
}
