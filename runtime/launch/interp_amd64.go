package launch

import (
	"bytes"
	"errors"
	"unsafe"
)

// interpreterAddress returns where the machine code of interp_amd64.s is. A Go function value would lead to
// a wrapper for the other calling convention.
func interpreterAddress() unsafe.Pointer

const machine = 62 // EM_X86_64

// maxCode bounds the search for the end mark.
const maxCode = 2048

// endMark follows the interpreter; spelled in two parts so that it stands only there.
var endMark = []byte("dh" + "ow-end")

// interpreterCode returns the interpreter's machine code.
func interpreterCode() ([]byte, error) {
	code := unsafe.Slice((*byte)(interpreterAddress()), maxCode)
	end := bytes.Index(code, endMark)
	if end < 0 {
		return nil, errors.New("internal error: the step interpreter has no end mark")
	}
	if !bytes.HasSuffix(code[:end], quitCode) {
		return nil, errors.New("internal error: the step interpreter does not end in the signal handler")
	}
	return code[:end], nil
}

// quitCode is the signal handler that the interpreter ends in.
var quitCode = []byte{
	0xbf, 143, 0, 0, 0, // MOVL $143, DI
	0xb8, 231, 0, 0, 0, // MOVL $EXIT_GROUP, AX
	0x0f, 0x05, // SYSCALL
}
