package main

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// TestImports keeps off the program what costs it time at every start, or has no business in a runtime.
func TestImports(t *testing.T) {
	goTool, err := exec.LookPath("go")
	if err != nil {
		t.Skip("needs go")
	}
	out, err := exec.Command(goTool, "list", "-deps", "-tags", "embedseccomp", ".").Output()
	if err != nil {
		t.Skipf("go list: %v", err)
	}
	banned := []string{
		"regexp", "text/template", "html/template", "net", "net/http", "os/user", "os/exec", "flag", "math/big",
		"encoding/gob", "testing",
	}
	modules := []string{
		"github.com/dhow-containers/dhow/", "github.com/opencontainers/runtime-spec/", "github.com/containerd/errdefs",
		"github.com/moby/sys/mountinfo", "golang.org/x/sys/",
		"github.com/checkpoint-restore/go-criu/v8/rpc", "github.com/aperturerobotics/protobuf-go-lite",
	}
	for path := range strings.FieldsSeq(string(out)) {
		host, _, _ := strings.Cut(path, "/")
		if slices.Contains(banned, path) || host == "crypto" {
			t.Errorf("the program links %s", path)
		}
		if strings.Contains(host, ".") && !slices.ContainsFunc(modules, func(m string) bool { return strings.HasPrefix(path, m) }) {
			t.Errorf("the program links %s, of a module it is not known to need", path)
		}
	}
}
