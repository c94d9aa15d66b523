package cgroup

import (
	"encoding/binary"
	"math"
)

// insnSize is the size of struct bpf_insn (linux/bpf.h).
const insnSize = 8

// The opcodes used. Jumps are those of the 32-bit class: device numbers are
// unsigned, and a 64-bit jump would sign-extend its operand.
const (
	opLoad32 = 0x61 // dst = *(u32 *)(src + off)
	opAnd    = 0x54 // dst &= imm
	opShift  = 0x74 // dst >>= imm
	opMove   = 0xbc // dst = src
	opSet    = 0xb7 // dst = imm
	opJump   = 0x05 // goto off
	opJumpEq = 0x16 // if dst == imm
	opJumpNe = 0x56 // if dst != imm
	opJumpOn = 0x46 // if dst & imm
	opExit   = 0x95
)

// The registers of the program.
const (
	regResult = iota
	regContext
	regType
	regAccess
	regMajor
	regMinor
)

// insn is one struct bpf_insn.
type insn struct {
	op       uint8
	dst, src uint8
	off      int16
	imm      int32
}

// filter is a program under construction.
type filter struct {
	code []insn
	// verdicts lists, for each set of granted bits, the jumps to its verdict;
	// they get their offset when the verdict has an address.
	verdicts [allAccess + 1][]int
	err      error
}

// compileFilter translates a rule list to a program for
// BPF_PROG_TYPE_CGROUP_DEVICE: a decision tree over type, major and minor
// number, whose leaves are the granted access. A tree costs the kernel's
// verifier, which walks every path at each container start, less than half of
// what the list does.
func compileFilter(rules []DeviceRule) ([]byte, error) {
	f, g := &filter{}, newGrants(rules)
	f.load()
	other := f.branch(insn{op: opJumpNe, dst: regType, imm: 1}) // BPF_DEVCG_DEV_BLOCK
	f.majors(g, 'b')
	f.land(other)
	f.majors(g, 'c')
	return f.finish()
}

func (f *filter) add(code ...insn) { f.code = append(f.code, code...) }

// load reads struct bpf_cgroup_dev_ctx: access_type holds the device's type in
// its lower and the access in its upper half.
func (f *filter) load() {
	f.add(
		insn{op: opLoad32, dst: regType, src: regContext, off: 0},
		insn{op: opLoad32, dst: regMajor, src: regContext, off: 4},
		insn{op: opLoad32, dst: regMinor, src: regContext, off: 8},
		insn{op: opMove, dst: regAccess, src: regType},
		insn{op: opShift, dst: regAccess, imm: 16},
		insn{op: opAnd, dst: regType, imm: 0xffff},
	)
}

// branch adds a jump whose target is set by land.
func (f *filter) branch(i insn) int {
	f.add(i)
	return len(f.code) - 1
}

// land makes a jump lead to the next instruction.
func (f *filter) land(jump int) {
	off := len(f.code) - jump - 1
	if off > math.MaxInt16 {
		f.err = badConfig("cannot restrict devices (linux.resources.devices): too many rules")
	}
	f.code[jump].off = int16(off)
}

// decideIf adds a jump to the verdict for granted bits.
func (f *filter) decideIf(i insn, granted Access) {
	f.verdicts[granted] = append(f.verdicts[granted], f.branch(i))
}

// majors adds the tree of one device type.
func (f *filter) majors(g grants, typ DeviceType) {
	order, minors := g.majors(typ)
	anyMajor := minors[anyNumber]
	rest, restMinors := g.leaf(typ, anyNumber, nil, anyMajor)
	for _, major := range order[1:] {
		leaf, differ := g.leaf(typ, major, minors[major], anyMajor)
		switch {
		case len(differ) > 0:
			next := f.branch(insn{op: opJumpNe, dst: regMajor, imm: int32(uint32(major))})
			f.minors(differ)
			f.decideIf(insn{op: opJump}, leaf)
			f.land(next)
		case leaf != rest || len(restMinors) > 0:
			f.decideIf(insn{op: opJumpEq, dst: regMajor, imm: int32(uint32(major))}, leaf)
		}
	}
	f.minors(restMinors)
	f.decideIf(insn{op: opJump}, rest)
}

// minors adds the comparisons that end in a verdict of their own.
func (f *filter) minors(list []minorGrant) {
	for _, m := range list {
		f.decideIf(insn{op: opJumpEq, dst: regMinor, imm: int32(uint32(m.minor))}, m.granted)
	}
}

// finish adds the verdicts and encodes the program. The kernel refuses code that
// cannot be reached, so only verdicts that something leads to are there.
func (f *filter) finish() ([]byte, error) {
	for granted := Access(1); granted < allAccess; granted++ {
		if f.verdict(granted) {
			f.decideIf(insn{op: opJumpOn, dst: regAccess, imm: int32(allAccess &^ granted)}, 0)
			f.decideIf(insn{op: opJump}, allAccess)
		}
	}
	for _, granted := range []Access{0, allAccess} {
		if f.verdict(granted) {
			f.add(insn{op: opSet, dst: regResult, imm: int32(granted & 1)}, insn{op: opExit})
		}
	}
	out := make([]byte, 0, len(f.code)*insnSize)
	for _, i := range f.code {
		out = i.encode(out)
	}
	return out, f.err
}

// verdict lands the jumps to a verdict, and tells whether there are any.
func (f *filter) verdict(granted Access) bool {
	for _, jump := range f.verdicts[granted] {
		f.land(jump)
	}
	return len(f.verdicts[granted]) > 0
}

// encode appends the instruction in the byte order of this machine; the two
// registers share a byte, the destination in its first-allocated half.
func (i insn) encode(out []byte) []byte {
	regs := i.dst | i.src<<4
	if binary.NativeEndian.Uint16([]byte{0, 1}) == 1 {
		regs = i.src | i.dst<<4
	}
	out = append(out, i.op, regs)
	out = binary.NativeEndian.AppendUint16(out, uint16(i.off))
	return binary.NativeEndian.AppendUint32(out, uint32(i.imm))
}
