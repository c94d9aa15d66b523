package integration

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"testing"
)

// interpreterELF is the smallest x86-64 program whose PT_INTERP is the given path: the kernel maps that
// file and starts it in the program's stead.
func interpreterELF(t *testing.T, interpreter string) string {
	t.Helper()
	const headerSize, programSize, base = 64, 56, 0x10000000
	interp := append([]byte(interpreter), 0)
	offset := uint64(headerSize + 2*programSize)
	size := offset + uint64(len(interp))
	header := elf.Header64{
		Ident: [elf.EI_NIDENT]byte{0x7f, 'E', 'L', 'F', byte(elf.ELFCLASS64), byte(elf.ELFDATA2LSB), byte(elf.EV_CURRENT)},
		Type:  uint16(elf.ET_EXEC), Machine: uint16(elf.EM_X86_64), Version: uint32(elf.EV_CURRENT),
		Entry: base + offset, Phoff: headerSize, Ehsize: headerSize, Phentsize: programSize, Phnum: 2,
	}
	programs := []elf.Prog64{
		{Type: uint32(elf.PT_INTERP), Flags: uint32(elf.PF_R), Off: offset, Vaddr: base + offset, Paddr: base + offset,
			Filesz: uint64(len(interp)), Memsz: uint64(len(interp)), Align: 1},
		{Type: uint32(elf.PT_LOAD), Flags: uint32(elf.PF_R | elf.PF_X), Vaddr: base, Paddr: base, Filesz: size, Memsz: size, Align: 0x1000},
	}
	var out bytes.Buffer
	for _, part := range []any{header, programs, interp} {
		must(t, binary.Write(&out, binary.LittleEndian, part))
	}
	return out.String()
}

func TestInterpreterELFIsWellFormed(t *testing.T) {
	t.Parallel()
	f, err := elf.NewFile(bytes.NewReader([]byte(interpreterELF(t, "/proc/self/exe"))))
	must(t, err)
	if len(f.Progs) != 2 || f.Progs[0].Type != elf.PT_INTERP {
		t.Fatalf("program headers: %+v", f.Progs)
	}
	data := make([]byte, f.Progs[0].Filesz)
	_, err = f.Progs[0].ReadAt(data, 0)
	must(t, err)
	if string(data) != "/proc/self/exe\x00" {
		t.Errorf("interpreter %q", data)
	}
}
