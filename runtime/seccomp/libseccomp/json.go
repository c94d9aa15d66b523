package libseccomp

import (
	"encoding/json"
	"fmt"

	specs "github.com/opencontainers/runtime-spec/specs-go"

	"github.com/dhow-containers/dhow/runtime/seccomp/internal/compiled"
)

// CompileJSON compiles the JSON of linux.seccomp to a blob of package compiled.
func CompileJSON(raw []byte) ([]byte, error) {
	var profile *specs.LinuxSeccomp
	if err := json.Unmarshal(raw, &profile); err != nil {
		return nil, fmt.Errorf("/linux/seccomp: cannot decode the profile: %w", err)
	}
	if profile == nil {
		return nil, fmt.Errorf("/linux/seccomp: cannot compile null")
	}
	prog, err := Compile(profile)
	if err != nil {
		return nil, err
	}
	return compiled.Encode(&prog.Filter)
}
