package launch

import (
	"bytes"
	debugelf "debug/elf"
	"encoding/binary"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/runtime/plan"
)

// image is a linked Program taken apart.
type image struct {
	t    *testing.T
	file *debugelf.File
	data []byte
}

func linked(t *testing.T, p *plan.Program, report int) *image {
	t.Helper()
	raw, err := link(p, report)
	if err != nil {
		t.Fatal(err)
	}
	file, err := debugelf.NewFile(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	m := &image{t: t, file: file}
	for _, s := range file.Progs {
		if s.Vaddr == dataBase {
			m.data = make([]byte, s.Filesz)
			if _, err := s.ReadAt(m.data, 0); err != nil {
				t.Fatal(err)
			}
		}
	}
	return m
}

func (m *image) u64(addr uint64) uint64 { return binary.LittleEndian.Uint64(m.data[addr-dataBase:]) }

func (m *image) u32(addr uint64) uint32 { return binary.LittleEndian.Uint32(m.data[addr-dataBase:]) }

// step is the address of a step.
func (m *image) step(i int) uint64 { return m.u64(dataBase) + uint64(stepSize*i) }

func (m *image) arg(step, i int) uint64 { return m.u64(m.step(step) + 8 + uint64(8*i)) }

func (m *image) text(addr uint64) string {
	s := m.data[addr-dataBase:]
	return string(s[:bytes.IndexByte(s, 0)])
}

func TestELF(t *testing.T) {
	f := linked(t, program(exit(imm(0))), 3).file
	if f.Class != debugelf.ELFCLASS64 || f.Type != debugelf.ET_EXEC || f.Machine != debugelf.EM_X86_64 || f.Data != debugelf.ELFDATA2LSB {
		t.Errorf("the header is %+v", f.FileHeader)
	}
	if len(f.Progs) != 3 || len(f.Sections) != 0 {
		t.Fatalf("%d segments and %d sections", len(f.Progs), len(f.Sections))
	}
	code, data, stack := f.Progs[0], f.Progs[1], f.Progs[2]
	if code.Type != debugelf.PT_LOAD || code.Flags != debugelf.PF_R|debugelf.PF_X || f.Entry < code.Vaddr || f.Entry >= code.Vaddr+code.Filesz {
		t.Errorf("code is %+v, the entry %#x", code.ProgHeader, f.Entry)
	}
	if data.Type != debugelf.PT_LOAD || data.Flags != debugelf.PF_R|debugelf.PF_W || data.Vaddr != dataBase {
		t.Errorf("data is %+v", data.ProgHeader)
	}
	if stack.Type != debugelf.PT_GNU_STACK || stack.Flags&debugelf.PF_X != 0 {
		t.Errorf("the stack is %+v", stack.ProgHeader)
	}
	for _, s := range f.Progs[:2] {
		if s.Off%pageSize != s.Vaddr%pageSize || s.Filesz != s.Memsz {
			t.Errorf("%+v cannot be mapped", s.ProgHeader)
		}
	}
	if code.Vaddr+code.Memsz > data.Vaddr {
		t.Errorf("code reaches into data: %+v", code.ProgHeader)
	}
	interpreter := make([]byte, code.Filesz-headerSize)
	if _, err := code.ReadAt(interpreter, headerSize); err != nil {
		t.Fatal(err)
	}
	want, err := interpreterCode()
	if err != nil || !bytes.Equal(interpreter, want) || len(want) == 0 || len(want) > maxCode/2 {
		t.Errorf("the interpreter has %d bytes of %d, %v", len(interpreter), len(want), err)
	}
}

func TestLayout(t *testing.T) {
	s := call(unix.SYS_CLOSE, imm(5), reg(3), text("a"))
	s.Save, s.Next, s.Else, s.Retry = 9, 2, 1, true
	s.Ok = [4]unix.Errno{unix.EPERM, unix.ENOENT, 0, unix.EBUSY}
	p := program(s, anyError(call(unix.SYS_GETPID), 2))
	p.Regs = 12
	m := linked(t, p, 77)
	if got := m.u64(dataBase + 8); got != dataBase+regsOffset {
		t.Errorf("the registers are at %#x", got)
	}
	if want := uint64(dataBase + regsOffset + 8*12); m.step(0) != want {
		t.Errorf("the steps are at %#x, want %#x", m.step(0), want)
	}
	for r := range uint64(12) {
		want := uint64(0)
		if r == uint64(plan.Report) {
			want = 77
		}
		if got := m.u64(dataBase + regsOffset + 8*r); got != want {
			t.Errorf("register %d starts as %d, want %d", r, got, want)
		}
	}
	at := m.step(0)
	b := m.data[at-dataBase:]
	if m.u32(at) != unix.SYS_CLOSE || b[4] != 2 || b[5] != 2 || m.u32(at+56) != 9 || m.u32(at+60) != 2 || m.u32(at+64) != 1 || m.u32(at+68) != 0 {
		t.Errorf("step 0 is %v", b[:stepSize])
	}
	for i, want := range s.Ok {
		if got := binary.LittleEndian.Uint16(b[72+2*i:]); got != uint16(want) {
			t.Errorf("tolerated error %d is %d, want %d", i, got, want)
		}
	}
	if m.arg(0, 0) != 5 || m.arg(0, 1) != 3 || m.text(m.arg(0, 2)) != "a" {
		t.Errorf("the arguments are %d, %d, %#x", m.arg(0, 0), m.arg(0, 1), m.arg(0, 2))
	}
	if m.u32(m.step(1)+68) != 1 || m.data[m.step(1)-dataBase+5] != 1 {
		t.Error("step 1 has the wrong number or flags")
	}
	if got := int32(m.u32(m.step(2))); got != opNumber(&plan.Step{Op: plan.Exit}) {
		t.Errorf("what follows the last step is %d, not an exit", got)
	}
}

func TestOperationsDiffer(t *testing.T) {
	seen := map[int32]plan.Op{}
	for o := plan.Rendezvous; o <= plan.Exit; o++ {
		n := opNumber(&plan.Step{Op: o})
		if other, taken := seen[n]; taken || n >= 0 {
			t.Errorf("operation %d has the number %d, as %d has", o, n, other)
		}
		seen[n] = o
	}
}

func TestMemory(t *testing.T) {
	inner := &plan.Mem{Data: []byte("inner!")}
	outer := &plan.Mem{Data: make([]byte, 40), Refs: []plan.Ref{{Off: 8, To: inner}, {Off: 16, Str: "word"}, {Off: 24, To: inner}, {Off: 32, Str: ""}}}
	outer.Data[0] = 42
	odd := text("odd") // shifts what follows
	p := program(call(unix.SYS_WRITE, odd, ptr(outer), at(outer, 16)), call(unix.SYS_WRITE, text("word"), ptr(inner), text("odd")))
	m := linked(t, p, 3)
	base := m.arg(0, 1)
	if base%8 != 0 || m.arg(1, 1)%8 != 0 {
		t.Errorf("memory is at %#x and %#x", base, m.arg(1, 1))
	}
	if m.arg(0, 2) != base+16 {
		t.Errorf("the offset 16 is at %#x of %#x", m.arg(0, 2), base)
	}
	if m.u64(base)&0xff != 42 || m.u64(base+8) != m.arg(1, 1) || m.u64(base+24) != m.arg(1, 1) {
		t.Error("the references do not lead to the one copy of what they name")
	}
	if m.text(m.u64(base+16)) != "word" || m.text(m.u64(base+32)) != "" {
		t.Error("the references do not lead to their text")
	}
	if got := m.data[m.arg(1, 1)-dataBase:][:6]; string(got) != "inner!" {
		t.Errorf("memory holds %q", got)
	}
	if inner.Data[0] != 'i' || outer.Data[8] != 0 {
		t.Error("linking changed the Program")
	}
}

// TestCycle: memory that refers to itself, as a list head does, is placed once.
func TestCycle(t *testing.T) {
	m := &plan.Mem{Data: make([]byte, 8)}
	m.Refs = []plan.Ref{{Off: 0, To: m}}
	i := linked(t, program(call(unix.SYS_CLOSE, ptr(m))), 3)
	if at := i.arg(0, 0); i.u64(at) != at {
		t.Errorf("at %#x is %#x", at, i.u64(at))
	}
}

func TestLinkRefuses(t *testing.T) {
	_, err := link(program(call(unix.SYS_CLOSE, plan.Arg{Kind: 99})), 3)
	if err == nil || !strings.Contains(err.Error(), "internal error: argument of kind 99") {
		t.Errorf("the error is %v", err)
	}
	if _, err := Start(program(call(unix.SYS_CLOSE, plan.Arg{Kind: 99})), plain()); err == nil {
		t.Error("Start takes what cannot be linked")
	}
}
