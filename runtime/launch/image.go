package launch

import (
	"encoding/binary"
	"fmt"

	"github.com/dhow-containers/dhow/runtime/plan"
)

// The linked Program is an ELF executable of two segments at fixed addresses. The code segment holds
// the ELF header and the interpreter. The data segment holds
//
//	 0  address of the first step
//	 8  address of register 0
//	16  message to the parent: step uint32, kind uint32, value uint64
//	32  answer of the parent: status uint64, value uint64
//	64  registers, then steps, then the memory of the Program
const (
	codeBase   = 0x400000
	dataBase   = 0x401000 // interp_amd64.s knows this number too
	pageSize   = 4096
	headerSize = 64 + 3*56
	regsOffset = 64
	stepSize   = 80
)

// Message kinds.
const (
	kindFailed     = 0
	kindRendezvous = 1
)

var le = binary.LittleEndian

// linker lays a Program out in memory.
type linker struct {
	p    *plan.Program
	data []byte
	mems map[*plan.Mem]uint64
	strs map[string]uint64
}

// link returns the ELF executable that carries p out; report is the child's number of the socket.
func link(p *plan.Program, report int) ([]byte, error) {
	code, err := interpreterCode()
	if err != nil {
		return nil, err
	}
	l := &linker{p: p, mems: make(map[*plan.Mem]uint64, 64), strs: make(map[string]uint64, 256)}
	steps := regsOffset + 8*p.Regs
	size := steps + stepSize*(len(p.Steps)+1)
	l.data = make([]byte, size, max(size, 64<<10))
	le.PutUint64(l.data, dataBase+uint64(steps))
	le.PutUint64(l.data[8:], dataBase+regsOffset)
	le.PutUint64(l.data[regsOffset+8*int(plan.Report):], uint64(report))
	for i := range p.Steps {
		if err := l.step(steps+i*stepSize, i); err != nil {
			return nil, err
		}
	}
	l.ending(steps + len(p.Steps)*stepSize)
	return elf(code, l.data), nil
}

// opNumber is how the interpreter knows an operation of its own; a system call goes by its number.
func opNumber(s *plan.Step) int32 {
	switch s.Op {
	case plan.Rendezvous:
		return -1
	case plan.Load:
		return -2
	case plan.Store:
		return -3
	case plan.Compare:
		return -4
	case plan.Fail:
		return -5
	case plan.Exit:
		return -6
	}
	return int32(s.Call)
}

func (l *linker) step(at, i int) error {
	s := &l.p.Steps[i]
	var use, flags byte
	for j := range s.Args[:s.NArgs] {
		v, inReg, err := l.arg(&s.Args[j])
		if err != nil {
			return err
		}
		if inReg {
			use |= 1 << j
		}
		le.PutUint64(l.data[at+8+8*j:], v)
	}
	if s.Any {
		flags |= 1
	}
	if s.Retry {
		flags |= 2
	}
	d := l.data[at : at+stepSize]
	le.PutUint32(d, uint32(opNumber(s)))
	d[4], d[5] = use, flags
	le.PutUint32(d[56:], uint32(s.Save))
	le.PutUint32(d[60:], uint32(s.Next))
	le.PutUint32(d[64:], uint32(s.Else))
	le.PutUint32(d[68:], uint32(i))
	for j, e := range s.Ok {
		le.PutUint16(d[72+2*j:], uint16(e))
	}
	return nil
}

// ending adds the step that a Program runs into when it does not end in execve.
func (l *linker) ending(at int) {
	code := opNumber(&plan.Step{Op: plan.Exit})
	le.PutUint32(l.data[at:], uint32(code))
}

func (l *linker) arg(a *plan.Arg) (value uint64, inReg bool, err error) {
	switch a.Kind {
	case plan.Imm:
		return a.Val, false, nil
	case plan.InReg:
		return a.Val, true, nil
	case plan.Text:
		return l.text(a.Str), false, nil
	case plan.Pointer:
		return l.mem(a.Mem) + a.Val, false, nil
	}
	return 0, false, fmt.Errorf("internal error: argument of kind %d", a.Kind)
}

// text places s, NUL-terminated and once.
func (l *linker) text(s string) uint64 {
	if at, ok := l.strs[s]; ok {
		return at
	}
	at := dataBase + uint64(len(l.data))
	l.data = append(append(l.data, s...), 0)
	l.strs[s] = at
	return at
}

// mem places m on an eight-byte boundary, with the addresses of what it refers to.
func (l *linker) mem(m *plan.Mem) uint64 {
	if at, ok := l.mems[m]; ok {
		return at
	}
	for len(l.data)%8 != 0 {
		l.data = append(l.data, 0)
	}
	off := len(l.data)
	at := dataBase + uint64(off)
	l.mems[m] = at
	l.data = append(l.data, m.Data...)
	for _, r := range m.Refs {
		var to uint64
		if r.To != nil {
			to = l.mem(r.To)
		} else {
			to = l.text(r.Str)
		}
		le.PutUint64(l.data[off+r.Off:], to)
	}
	return at
}

// elf wraps code and data in the headers of a static executable (elf(5)).
func elf(code, data []byte) []byte {
	file := make([]byte, pageSize+len(data))
	copy(file, "\x7fELF\x02\x01\x01")
	le.PutUint16(file[16:], 2) // ET_EXEC
	le.PutUint16(file[18:], machine)
	le.PutUint32(file[20:], 1)
	le.PutUint64(file[24:], codeBase+headerSize) // entry
	le.PutUint64(file[32:], 64)                  // program headers
	le.PutUint16(file[52:], 64)
	le.PutUint16(file[54:], 56)
	le.PutUint16(file[56:], 3)
	copy(file[headerSize:pageSize], code)
	copy(file[pageSize:], data)
	const load, stack, r, w, x = 1, 0x6474e551, 4, 2, 1
	segment(file[64:], load, r|x, 0, codeBase, headerSize+len(code))
	segment(file[120:], load, r|w, pageSize, dataBase, len(data))
	segment(file[176:], stack, r|w, 0, 0, 0)
	return file
}

func segment(h []byte, kind, flags uint32, off, addr uint64, size int) {
	le.PutUint32(h, kind)
	le.PutUint32(h[4:], flags)
	le.PutUint64(h[8:], off)
	le.PutUint64(h[16:], addr)
	le.PutUint64(h[24:], addr)
	le.PutUint64(h[32:], uint64(size))
	le.PutUint64(h[40:], uint64(size))
	le.PutUint64(h[48:], pageSize)
}
