package bpfopt

import (
	"encoding/binary"

	"golang.org/x/sys/unix"
)

// Instructions of classic BPF that libseccomp uses, and offsets in struct seccomp_data.
const (
	opLoad = unix.BPF_LD | unix.BPF_W | unix.BPF_ABS
	opAnd  = unix.BPF_ALU | unix.BPF_AND | unix.BPF_K
	opJA   = unix.BPF_JMP | unix.BPF_JA
	opJEQ  = unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K
	opJGT  = unix.BPF_JMP | unix.BPF_JGT | unix.BPF_K
	opJGE  = unix.BPF_JMP | unix.BPF_JGE | unix.BPF_K
	opJSET = unix.BPF_JMP | unix.BPF_JSET | unix.BPF_K
	opRet  = unix.BPF_RET | unix.BPF_K

	offNr   = 0
	offArch = 4
)

const insnSize = 8

type program []unix.SockFilter

// decode reads an array of struct sock_filter. It fails on instructions that this package does not
// understand, and on jumps out of the program.
func decode(b []byte) (program, bool) {
	p := make(program, len(b)/insnSize)
	for i := range p {
		raw := b[i*insnSize:]
		in := unix.SockFilter{Code: binary.NativeEndian.Uint16(raw), Jt: raw[2], Jf: raw[3], K: binary.NativeEndian.Uint32(raw[4:])}
		farthest := 0
		switch in.Code {
		case opRet:
			farthest = -1
		case opLoad, opAnd:
		case opJA:
			farthest = int(min(in.K, uint32(len(p))))
		case opJEQ, opJGT, opJGE, opJSET:
			farthest = int(max(in.Jt, in.Jf))
		default:
			return nil, false
		}
		if i+1+farthest >= len(p) {
			return nil, false
		}
		p[i] = in
	}
	return p, len(p) > 0
}

func encode(p program) []byte {
	b := make([]byte, 0, len(p)*insnSize)
	for _, in := range p {
		b = binary.NativeEndian.AppendUint16(b, in.Code)
		b = append(b, in.Jt, in.Jf)
		b = binary.NativeEndian.AppendUint32(b, in.K)
	}
	return b
}

// holds tells whether a conditional jump is taken when the accumulator is a.
func holds(in unix.SockFilter, a uint32) bool {
	switch in.Code {
	case opJEQ:
		return a == in.K
	case opJGT:
		return a > in.K
	case opJGE:
		return a >= in.K
	}
	return a&in.K != 0 // opJSET
}

// jump returns where a conditional jump at pc goes.
func (p program) jump(pc int, yes bool) int {
	if yes {
		return pc + 1 + int(p[pc].Jt)
	}
	return pc + 1 + int(p[pc].Jf)
}
