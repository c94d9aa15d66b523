//go:build embedseccomp

package seccomp

import _ "embed"

// The compiler program, and a line that says what its results depend on, itself included. Make them
// with go generate -tags embedseccomp.
//
//go:generate env CGO_ENABLED=1 go build -trimpath -buildvcs=false -ldflags "-s -w -linkmode external -extldflags -static" -o seccomp-compile.bin ./cmd/seccomp-compile
//go:generate sh -c "./seccomp-compile.bin id >seccomp-compile.id"

// A string, because it lies in the file's read-only pages, which are not touched before the first miss.
//
//go:embed seccomp-compile.bin
var compilerProgram string

//go:embed seccomp-compile.id
var compilerIDLine string

func compilerID() string { return compilerIDLine }

// compile turns a profile into a blob of package compiled by running the compiler program. scratch is
// the directory for its file when the kernel does not let files in memory be executed.
func compile(raw []byte, scratch string) ([]byte, error) {
	return runProgram(compilerProgram, raw, scratch)
}
