package bpfopt

import "golang.org/x/sys/unix"

// section emits what happens to the numbers of one architecture.
func (b *builder) section(runs []run) place {
	if len(runs) == 1 {
		return b.end(runs[0].to)
	}
	b.tree(units(runs)) // its root is the last instruction emitted, the next one falls into it
	return b.emit(unix.SockFilter{Code: opLoad, K: offNr})
}

// units groups runs that one comparison tells apart: a single number amid others of one outcome, or a
// run alone.
func units(runs []run) [][]run {
	var list [][]run
	for len(runs) > 0 {
		n := 1
		if len(runs) >= 3 && runs[0].to == runs[2].to && runs[2].from == runs[1].from+1 {
			n = 3
		}
		list = append(list, runs[:n])
		runs = runs[n:]
	}
	return list
}

// tree emits a binary tree over units.
func (b *builder) tree(list [][]run) place {
	if len(list) == 1 {
		unit := list[0]
		if len(unit) == 1 {
			return b.end(unit[0].to)
		}
		return b.branch(opJEQ, unit[1].from, b.end(unit[1].to), b.end(unit[0].to))
	}
	half := len(list) / 2
	high := b.tree(list[half:])
	low := b.tree(list[:half])
	return b.branch(opJGE, list[half][0].from, high, low)
}
