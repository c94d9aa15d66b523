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
//	48  address of the step to go on at when the file is executed again, with two arguments
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

// linker lays a Program out: file grows to the whole executable, its first page being the code segment.
type linker struct {
	p     *plan.Program
	file  []byte
	mems  map[*plan.Mem]uint64
	quit  uint64 // address of plan.Quit
	empty uint64 // address of "", which many steps have as an argument
}

// link returns the ELF executable that carries p out; report is the child's number of the socket.
func link(p *plan.Program, report int) ([]byte, error) {
	code, err := interpreterCode()
	if err != nil {
		return nil, err
	}
	l := &linker{p: p, mems: make(map[*plan.Mem]uint64, 64), quit: codeBase + headerSize + uint64(len(code)-len(quitCode))}
	steps := regsOffset + 8*p.Regs
	size := pageSize + steps + stepSize*(len(p.Steps)+1)
	l.file = make([]byte, size, size+size/2)
	data := l.file[pageSize:]
	binary.LittleEndian.PutUint64(data, dataBase+uint64(steps))
	binary.LittleEndian.PutUint64(data[8:], dataBase+regsOffset)
	binary.LittleEndian.PutUint64(data[48:], dataBase+uint64(steps+stepSize*p.Again))
	binary.LittleEndian.PutUint64(data[regsOffset+8*int(plan.Report):], uint64(report))
	l.empty = l.end()
	l.file = append(l.file, 0)
	for i := range p.Steps {
		if err := l.step(pageSize+steps+i*stepSize, i); err != nil {
			return nil, err
		}
	}
	l.ending(pageSize + steps + len(p.Steps)*stepSize)
	headers(l.file, code)
	return l.file, nil
}

// end is the address of what is appended next.
func (l *linker) end() uint64 { return dataBase + uint64(len(l.file)-pageSize) }

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
	for j := range s.Args {
		v, inReg, err := l.arg(&s.Args[j])
		if err != nil {
			return err
		}
		if inReg {
			use |= 1 << j
		}
		binary.LittleEndian.PutUint64(l.file[at+8+8*j:], v)
	}
	if s.Any {
		flags |= 1
	}
	if s.Retry {
		flags |= 2
	}
	d := l.file[at : at+stepSize]
	binary.LittleEndian.PutUint32(d, uint32(opNumber(s)))
	d[4], d[5] = use, flags
	binary.LittleEndian.PutUint32(d[56:], uint32(s.Save))
	binary.LittleEndian.PutUint32(d[60:], uint32(s.Next))
	binary.LittleEndian.PutUint32(d[64:], uint32(s.Else))
	binary.LittleEndian.PutUint32(d[68:], uint32(i))
	for j, e := range s.Ok {
		binary.LittleEndian.PutUint16(d[72+2*j:], uint16(e))
	}
	return nil
}

// ending adds the step that a Program runs into when it does not end in execve.
func (l *linker) ending(at int) {
	code := opNumber(&plan.Step{Op: plan.Exit})
	binary.LittleEndian.PutUint32(l.file[at:], uint32(code))
}

func (l *linker) arg(a *plan.Arg) (value uint64, inReg bool, err error) {
	switch a.Kind {
	case plan.Imm:
		return a.Val, false, nil
	case plan.InReg:
		return a.Val, true, nil
	case plan.Text:
		return l.text(a.Str), false, nil
	case plan.Quit:
		return l.quit, false, nil
	case plan.Pointer:
		return l.mem(a.Mem) + a.Val, false, nil
	}
	return 0, false, fmt.Errorf("internal error: argument of kind %d", a.Kind)
}

// text places s, NUL-terminated.
func (l *linker) text(s string) uint64 {
	if s == "" {
		return l.empty
	}
	at := l.end()
	l.file = append(append(l.file, s...), 0)
	return at
}

// mem places m on an eight-byte boundary, with the addresses of what it refers to.
func (l *linker) mem(m *plan.Mem) uint64 {
	if at, ok := l.mems[m]; ok {
		return at
	}
	for len(l.file)%8 != 0 {
		l.file = append(l.file, 0)
	}
	off, at := len(l.file), l.end()
	l.mems[m] = at
	l.file = append(l.file, m.Data...)
	for _, r := range m.Refs {
		var to uint64
		if r.To != nil {
			to = l.mem(r.To)
		} else {
			to = l.text(r.Str)
		}
		binary.LittleEndian.PutUint64(l.file[off+r.Off:], to)
	}
	return at
}

// headers fills the first page: what makes the file a static executable (elf(5)), and the code.
func headers(file, code []byte) {
	copy(file, "\x7fELF\x02\x01\x01")
	binary.LittleEndian.PutUint16(file[16:], 2) // ET_EXEC
	binary.LittleEndian.PutUint16(file[18:], machine)
	binary.LittleEndian.PutUint32(file[20:], 1)
	binary.LittleEndian.PutUint64(file[24:], codeBase+headerSize) // entry
	binary.LittleEndian.PutUint64(file[32:], 64)                  // program headers
	binary.LittleEndian.PutUint16(file[52:], 64)
	binary.LittleEndian.PutUint16(file[54:], 56)
	binary.LittleEndian.PutUint16(file[56:], 3)
	copy(file[headerSize:pageSize], code)
	const load, stack, r, w, x = 1, 0x6474e551, 4, 2, 1
	segment(file[64:], load, r|x, 0, codeBase, headerSize+len(code))
	segment(file[120:], load, r|w, pageSize, dataBase, len(file)-pageSize)
	segment(file[176:], stack, r|w, 0, 0, 0)
}

func segment(h []byte, kind, flags uint32, off, addr uint64, size int) {
	binary.LittleEndian.PutUint32(h, kind)
	binary.LittleEndian.PutUint32(h[4:], flags)
	binary.LittleEndian.PutUint64(h[8:], off)
	binary.LittleEndian.PutUint64(h[16:], addr)
	binary.LittleEndian.PutUint64(h[24:], addr)
	binary.LittleEndian.PutUint64(h[32:], uint64(size))
	binary.LittleEndian.PutUint64(h[40:], uint64(size))
	binary.LittleEndian.PutUint64(h[48:], pageSize)
}
