package hello

import (
	"bytes"
	"encoding/binary"
)

// Text is what the program prints.
const Text = `
Hello from dhow!
If you can read this, containers work on this machine.

What just happened:
 1. The client asked the daemon, dhowd, for a container of the image "hello-world".
 2. No registry was needed: dhowd carries this image with it.
 3. The daemon made a root file system of the image, and its shim started the program in it.
 4. The program wrote this text to its standard output, which the client shows you.

Next, with an image that has a shell:
 $ dhow run -it debian bash

`

// Where the program lies in memory, and the sizes of ELF's headers (elf(5)).
const (
	base       = 0x400000
	headerSize = 64
	tableEntry = 56
	codeAt     = headerSize + tableEntry
)

// ELF machines.
const (
	machineAMD64 = 62
	machineARM64 = 183
)

// Program is an executable for an architecture as Go names it; nil when there is none for it.
func Program(arch string) []byte {
	switch arch {
	case "amd64":
		return link(machineAMD64, amd64(len(Text)))
	case "arm64":
		return link(machineARM64, arm64(len(Text)))
	}
	return nil
}

// amd64 writes n bytes that lie behind it to standard output, and exits.
func amd64(n int) []byte {
	code := []byte{
		0xb8, 1, 0, 0, 0, // mov eax, 1 (write)
		0xbf, 1, 0, 0, 0, // mov edi, 1
		0x48, 0x8d, 0x35, 0, 0, 0, 0, // lea rsi, [rip+text]
		0xba, 0, 0, 0, 0, // mov edx, n
		0x0f, 0x05, // syscall
		0xb8, 231, 0, 0, 0, // mov eax, 231 (exit_group)
		0x31, 0xff, // xor edi, edi
		0x0f, 0x05, // syscall
	}
	binary.LittleEndian.PutUint32(code[13:], uint32(len(code)-17)) // from behind the lea
	binary.LittleEndian.PutUint32(code[18:], uint32(n))
	return code
}

// arm64 does the same.
func arm64(n int) []byte {
	words := []uint32{
		0xd2800020,                 // mov x0, #1
		0,                          // adr x1, text
		0xd2800002 | uint32(n)<<5,  // mov x2, #n
		0xd2800008 | uint32(64)<<5, // mov x8, #64 (write)
		0xd4000001,                 // svc #0
		0xd2800000,                 // mov x0, #0
		0xd2800008 | uint32(94)<<5, // mov x8, #94 (exit_group)
		0xd4000001,                 // svc #0
	}
	words[1] = 0x10000001 | uint32(len(words)-1)<<5 // instructions from here, as the lowest two bits are zero
	var b bytes.Buffer
	_ = binary.Write(&b, binary.LittleEndian, words)
	return b.Bytes()
}

// link puts code and text into an ELF file with one segment.
func link(machine uint16, code []byte) []byte {
	size := uint64(codeAt + len(code) + len(Text))
	var b bytes.Buffer
	b.Write([]byte{0x7f, 'E', 'L', 'F', 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0})
	put := func(values ...any) {
		for _, v := range values {
			_ = binary.Write(&b, binary.LittleEndian, v)
		}
	}
	put(uint16(2), machine, uint32(1))                                // an executable
	put(uint64(base+codeAt), uint64(headerSize), uint64(0))           // entry, program headers, no section headers
	put(uint32(0), uint16(headerSize), uint16(tableEntry), uint16(1)) // flags, sizes
	put(uint16(0), uint16(0), uint16(0))                              // no sections
	put(uint32(1), uint32(5), uint64(0), uint64(base), uint64(base))  // PT_LOAD, readable and executable
	put(size, size, uint64(0x1000))
	b.Write(code)
	b.WriteString(Text)
	return b.Bytes()
}
