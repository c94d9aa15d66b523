package bpfvm

import (
	"encoding/binary"
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// Data is struct seccomp_data (linux/seccomp.h).
type Data struct {
	Nr   uint32
	Arch uint32
	IP   uint64
	Args [6]uint64
}

const (
	insnSize = 8
	dataSize = 64
	words    = 16 // BPF_MEMWORDS
)

// bytes lays d out as the kernel does on this machine.
func (d *Data) bytes() (b [dataSize]byte) {
	order := binary.NativeEndian
	order.PutUint32(b[0:], d.Nr)
	order.PutUint32(b[4:], d.Arch)
	order.PutUint64(b[8:], d.IP)
	for i, arg := range d.Args {
		order.PutUint64(b[16+8*i:], arg)
	}
	return b
}

func insnAt(prog []byte, pc int) unix.SockFilter {
	b := prog[pc*insnSize:]
	return unix.SockFilter{Code: binary.NativeEndian.Uint16(b), Jt: b[2], Jf: b[3], K: binary.NativeEndian.Uint32(b[4:])}
}

// state is a machine in the middle of a run.
type state struct {
	a, x uint32
	mem  [words]uint32
	data [dataSize]byte
	pc   int
}

// Run returns what the filter returns for d, and how many instructions it took. The filter must have
// passed Check.
func Run(prog []byte, d *Data) (ret uint32, steps int) {
	s := state{data: d.bytes()}
	for {
		in := insnAt(prog, s.pc)
		s.pc++
		steps++
		if in.Code&7 == unix.BPF_RET {
			if in.Code&0x18 == unix.BPF_A {
				return s.a, steps
			}
			return in.K, steps
		}
		s.step(in)
	}
}

func (s *state) step(in unix.SockFilter) {
	switch in.Code & 7 {
	case unix.BPF_LD:
		s.a = s.load(in)
	case unix.BPF_LDX:
		s.x = s.load(in)
	case unix.BPF_ST:
		s.mem[in.K] = s.a
	case unix.BPF_STX:
		s.mem[in.K] = s.x
	case unix.BPF_ALU:
		s.alu(in)
	case unix.BPF_JMP:
		s.jump(in)
	case unix.BPF_MISC:
		if in.Code&0xf8 == unix.BPF_TXA {
			s.a = s.x
		} else {
			s.x = s.a
		}
	}
}

func (s *state) load(in unix.SockFilter) uint32 {
	switch in.Code & 0xe0 {
	case unix.BPF_ABS:
		return binary.NativeEndian.Uint32(s.data[in.K:])
	case unix.BPF_MEM:
		return s.mem[in.K]
	case unix.BPF_LEN:
		return dataSize
	}
	return in.K // BPF_IMM
}

func (s *state) operand(in unix.SockFilter) uint32 {
	if in.Code&8 == unix.BPF_X {
		return s.x
	}
	return in.K
}

func (s *state) alu(in unix.SockFilter) {
	v := s.operand(in)
	switch in.Code & 0xf0 {
	case unix.BPF_AND:
		s.a &= v
	case unix.BPF_OR:
		s.a |= v
	case unix.BPF_XOR:
		s.a ^= v
	case unix.BPF_ADD:
		s.a += v
	case unix.BPF_SUB:
		s.a -= v
	}
}

func (s *state) jump(in unix.SockFilter) {
	v, yes := s.operand(in), false
	switch in.Code & 0xf0 {
	case unix.BPF_JA:
		s.pc += int(in.K)
		return
	case unix.BPF_JEQ:
		yes = s.a == v
	case unix.BPF_JGT:
		yes = s.a > v
	case unix.BPF_JGE:
		yes = s.a >= v
	case unix.BPF_JSET:
		yes = s.a&v != 0
	}
	if yes {
		s.pc += int(in.Jt)
	} else {
		s.pc += int(in.Jf)
	}
}

// Check refuses what the kernel would refuse, and what no filter of libseccomp has.
func Check(prog []byte) error {
	n := len(prog) / insnSize
	if n == 0 || len(prog)%insnSize != 0 || n > 4096 {
		return fmt.Errorf("%d bytes", len(prog))
	}
	for pc := range n {
		if err := check(insnAt(prog, pc), pc, n); err != nil {
			return fmt.Errorf("instruction %d: %w", pc, err)
		}
	}
	if insnAt(prog, n-1).Code&7 != unix.BPF_RET {
		return errors.New("the last instruction is no return")
	}
	return nil
}

func check(in unix.SockFilter, pc, n int) error {
	left := n - pc - 1 // instructions after this one
	switch in.Code {
	case unix.BPF_RET | unix.BPF_K, unix.BPF_RET | unix.BPF_A,
		unix.BPF_MISC | unix.BPF_TAX, unix.BPF_MISC | unix.BPF_TXA,
		unix.BPF_LD | unix.BPF_IMM, unix.BPF_LDX | unix.BPF_IMM,
		unix.BPF_ALU | unix.BPF_AND | unix.BPF_K, unix.BPF_ALU | unix.BPF_AND | unix.BPF_X,
		unix.BPF_ALU | unix.BPF_OR | unix.BPF_K, unix.BPF_ALU | unix.BPF_ADD | unix.BPF_K,
		unix.BPF_ALU | unix.BPF_SUB | unix.BPF_K, unix.BPF_ALU | unix.BPF_XOR | unix.BPF_K:
	case unix.BPF_LD | unix.BPF_W | unix.BPF_ABS:
		if in.K%4 != 0 || in.K >= dataSize {
			return fmt.Errorf("load from offset %d", in.K)
		}
	case unix.BPF_LD | unix.BPF_MEM, unix.BPF_LDX | unix.BPF_MEM, unix.BPF_ST, unix.BPF_STX:
		if in.K >= words {
			return fmt.Errorf("memory word %d", in.K)
		}
	case unix.BPF_JMP | unix.BPF_JA:
		if uint64(in.K) >= uint64(left) {
			return fmt.Errorf("jump over %d instructions, %d are left", in.K, left)
		}
	case unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, unix.BPF_JMP | unix.BPF_JGT | unix.BPF_K,
		unix.BPF_JMP | unix.BPF_JGE | unix.BPF_K, unix.BPF_JMP | unix.BPF_JSET | unix.BPF_K:
		if int(max(in.Jt, in.Jf)) >= left {
			return fmt.Errorf("jump over %d or %d instructions, %d are left", in.Jt, in.Jf, left)
		}
	default:
		return fmt.Errorf("code %#x", in.Code)
	}
	return nil
}
