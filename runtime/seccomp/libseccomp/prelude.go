package libseccomp

import (
	"encoding/binary"

	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/runtime/seccomp/internal/compiled"
)

// Offsets in struct seccomp_data (linux/seccomp.h).
const (
	offNr   = 0
	offArch = 4
)

// Instructions of classic BPF (linux/bpf_common.h).
const (
	opLoad = unix.BPF_LD | unix.BPF_W | unix.BPF_ABS
	opJA   = unix.BPF_JMP | unix.BPF_JA
	opJEQ  = unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K
	opJGT  = unix.BPF_JMP | unix.BPF_JGT | unix.BPF_K
	opJGE  = unix.BPF_JMP | unix.BPF_JGE | unix.BPF_K
	opJSET = unix.BPF_JMP | unix.BPF_JSET | unix.BPF_K
	opRet  = unix.BPF_RET | unix.BPF_K

	retENOSYS = unix.SECCOMP_RET_ERRNO | uint32(unix.ENOSYS)
)

// target is where a jump of a section goes.
type target uint8

const (
	fall   target = iota // the next instruction
	enosys               // the section's return, its last instruction
	next                 // the first instruction after the section
	filter               // the first instruction after the prelude
)

// insn is an instruction of a section.
type insn struct {
	code    uint16
	k       uint32
	yes, no target
}

// prelude is the program in front of libseccomp's, described in enosys.go.
func prelude(list []newest) []byte {
	var prog []byte
	for i := len(list) - 1; i >= 0; i-- {
		if list[i].last < 0 && list[i].x32 < 0 {
			continue
		}
		prog = append(assemble(section(list[i]), len(prog)/compiled.InsnSize), prog...)
	}
	if prog == nil {
		return nil
	}
	return append(encode(nil, opLoad, 0, 0, offArch), prog...)
}

// section returns the instructions for one architecture.
func section(n newest) []insn {
	prog := []insn{{opJEQ, n.audit, fall, next}, {opLoad, offNr, fall, fall}}
	last, lastX32 := uint32(n.last), uint32(n.x32)
	switch {
	case n.last < 0: // x32 alone
		prog = append(prog, insn{opJSET, x32Bit, fall, filter}, insn{opJGT, lastX32, fall, filter})
	case n.x32 >= 0:
		prog = append(prog, insn{opJGT, last, fall, filter}, insn{opJSET, x32Bit, fall, enosys},
			insn{opJGT, lastX32, enosys, filter})
	case n.audit == unix.AUDIT_ARCH_X86_64:
		prog = append(prog, insn{opJGT, last, fall, filter}, insn{opJSET, x32Bit, filter, fall})
	case n.audit == unix.AUDIT_ARCH_ARM:
		prog = append(prog, insn{opJGT, last, fall, filter}, insn{opJGE, armPrivate, filter, fall})
	case n.audit == unix.AUDIT_ARCH_S390 || n.audit == unix.AUDIT_ARCH_S390X:
		prog = append(prog, insn{opJEQ, 0, enosys, fall}, insn{opJGT, last, fall, filter})
	default:
		prog = append(prog, insn{opJGT, last, fall, filter})
	}
	return append(prog, insn{opRet, retENOSYS, fall, fall})
}

// assemble encodes a section that has rest instructions between its end and the filter. A conditional
// jump reaches 255 instructions: when the filter may be farther, a JA of 32 bits ends the section and
// its jumps to the filter go there.
func assemble(sec []insn, rest int) []byte {
	size, toFilter := len(sec), len(sec)+rest
	far := toFilter > 255
	if far {
		toFilter = size
		size++
	}
	place := map[target]int{enosys: len(sec) - 1, next: size, filter: toFilter}
	var prog []byte
	for i, in := range sec {
		offset := func(t target) uint8 {
			if t == fall {
				return 0
			}
			return uint8(place[t] - i - 1)
		}
		prog = encode(prog, in.code, offset(in.yes), offset(in.no), in.k)
	}
	if far {
		prog = encode(prog, opJA, 0, 0, uint32(rest))
	}
	return prog
}

// encode appends a struct sock_filter.
func encode(prog []byte, code uint16, jt, jf uint8, k uint32) []byte {
	prog = binary.NativeEndian.AppendUint16(prog, code)
	prog = append(prog, jt, jf)
	return binary.NativeEndian.AppendUint32(prog, k)
}
