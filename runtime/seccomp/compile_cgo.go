//go:build !embedseccomp && cgo

package seccomp

import (
	"fmt"
	"os"
	"sync"

	"github.com/dhow-containers/dhow/runtime/seccomp/libseccomp"
)

// compile turns a profile into a blob of package compiled, in process.
func compile(raw []byte, _ string) ([]byte, error) { return libseccomp.CompileJSON(raw) }

// compilerID changes with each build, as the translation may: nobody raises a version while developing.
var compilerID = sync.OnceValue(func() string {
	id := libseccomp.Identity() + " in process"
	if st, err := os.Stat("/proc/self/exe"); err == nil {
		id = fmt.Sprintf("%s %d %d", id, st.Size(), st.ModTime().UnixNano())
	}
	return id
})
