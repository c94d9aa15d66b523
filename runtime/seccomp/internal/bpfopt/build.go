package bpfopt

import (
	"slices"

	"golang.org/x/sys/unix"
)

// reach is how many instructions a conditional jump is made to skip at most. It could skip 255; some
// are left for the instructions that come between when its other target needs help.
const reach = 250

// place is a place in the new program, which is made from its end: instructions are counted from the
// last one, so a place keeps its value while the program grows before it.
type place int

// builder makes the new program.
type builder struct {
	old  program
	rev  program          // the new program, last instruction first
	ret  map[uint32]place // returns, by value
	copy map[int]place    // copied instructions, by their place in the old program
	near map[place]place  // the latest stand-in for a place
}

// build makes the program for the classes of old.
func build(old program, list []class) program {
	b := builder{old: old, ret: map[uint32]place{}, copy: map[int]place{}, near: map[place]place{}}
	b.copyRest(list)
	last := len(list) - 1
	next := b.section(list[last].runs)
	for i := last - 1; i >= 0; i-- {
		next = b.branch(opJEQ, list[i].arch, b.section(list[i].runs), next)
	}
	b.emit(unix.SockFilter{Code: opLoad, K: offArch})
	slices.Reverse(b.rev)
	return b.rev
}

// copyRest copies what outcomes that are no return may reach.
func (b *builder) copyRest(list []class) {
	wanted := make([]bool, len(b.old))
	for _, c := range list {
		for _, r := range c.runs {
			if !r.to.returns {
				wanted[r.to.pc] = true
			}
		}
	}
	for pc, in := range b.old {
		if !wanted[pc] {
			continue
		}
		switch in.Code {
		case opRet:
		case opJA:
			wanted[pc+1+int(in.K)] = true
		case opLoad, opAnd:
			wanted[pc+1] = true
		default:
			wanted[b.old.jump(pc, true)], wanted[b.old.jump(pc, false)] = true, true
		}
	}
	for pc := len(b.old) - 1; pc >= 0; pc-- {
		if wanted[pc] {
			b.copy[pc] = b.copyInsn(pc)
		}
	}
}

// copyInsn copies an instruction. What lies between it and its targets has not become more.
func (b *builder) copyInsn(pc int) place {
	in := b.old[pc]
	switch in.Code {
	case opRet, opLoad, opAnd:
	case opJA:
		in.K = uint32(b.skip(b.copy[pc+1+int(in.K)]))
	default:
		in.Jt = uint8(b.skip(b.copy[b.old.jump(pc, true)]))
		in.Jf = uint8(b.skip(b.copy[b.old.jump(pc, false)]))
	}
	return b.emit(in)
}

func (b *builder) emit(in unix.SockFilter) place {
	b.rev = append(b.rev, in)
	return place(len(b.rev) - 1)
}

// skip is how many instructions lie between the next one to be emitted and a place.
func (b *builder) skip(to place) int { return len(b.rev) - 1 - int(to) }

// within returns a place that a conditional jump reaches and that is as good as to: itself, or a copy
// of the return that it is, or a jump to it.
func (b *builder) within(to place) place {
	if b.skip(to) <= reach {
		return to
	}
	if stand, ok := b.near[to]; ok && b.skip(stand) <= reach {
		return stand
	}
	in := b.rev[to]
	if in.Code != opRet {
		in = unix.SockFilter{Code: opJA, K: uint32(b.skip(to))}
	}
	b.near[to] = b.emit(in)
	return b.near[to]
}

// branch emits a conditional jump.
func (b *builder) branch(code uint16, k uint32, yes, no place) place {
	yes, no = b.within(yes), b.within(no)
	return b.emit(unix.SockFilter{Code: code, Jt: uint8(b.skip(yes)), Jf: uint8(b.skip(no)), K: k})
}

// end returns the place of an outcome.
func (b *builder) end(to outcome) place {
	if !to.returns {
		return b.copy[to.pc]
	}
	at, ok := b.ret[to.value]
	if !ok {
		at = b.emit(unix.SockFilter{Code: opRet, K: to.value})
		b.ret[to.value] = at
	}
	return at
}
