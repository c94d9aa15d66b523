package integration

import (
	"debug/elf"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// programs are what `make build` leaves in bin/, by package.
var programs = map[string]string{
	"runtime":                 "./runtime/cmd/runtime",
	"containerd-shim-dhow-v2": "./shim/cmd/containerd-shim-dhow-v2",
	"dhow":                    "./higher/cmd/dhow",
	"dhow-init":               "./higher/cmd/dhow-init",
	"dhowd":                   "./higher/cmd/dhowd",
}

// Growth of what a program links shows up in review: as a change of testdata/modules/PROGRAM.txt.
func TestModulesOfEachProgram(t *testing.T) {
	t.Parallel()
	for name, pkg := range programs {
		t.Run(name, func(t *testing.T) {
			want := lines(readFile(t, filepath.Join("testdata/modules", name+".txt")))
			got := goList(t, "-deps", "-tags", "embedseccomp", "-f", `{{with .Module}}{{.Path}}{{end}}`, pkg)
			slices.Sort(got)
			for _, m := range slices.Compact(got) {
				if m != strings.TrimSuffix(module, "/") && !slices.Contains(want, m) {
					t.Errorf("%s now links module %s: if it must, add it to testdata/modules/%s.txt and say what it costs", name, m, name)
				}
			}
			for _, m := range want {
				if !slices.Contains(got, m) {
					t.Errorf("%s no longer links %s: take it off testdata/modules/%s.txt", name, m, name)
				}
			}
		})
	}
}

// What the start-up path of the runtime must not hold, standard library included (DESIGN 8).
func TestPackagesTheRuntimeMustNotLink(t *testing.T) {
	t.Parallel()
	deps := goList(t, "-deps", "-tags", "embedseccomp", programs["runtime"])
	for _, forbidden := range []string{"net/http", "regexp", "crypto/tls", "google.golang.org/grpc", "google.golang.org/protobuf/proto", "github.com/sirupsen/logrus", "text/template"} {
		if slices.Contains(deps, forbidden) {
			t.Errorf("the runtime links %s", forbidden)
		}
	}
}

// What every shim, one for each container, must not hold in memory.
func TestPackagesTheShimMustNotLink(t *testing.T) {
	t.Parallel()
	deps := goList(t, "-deps", "-tags", "embedseccomp", programs["containerd-shim-dhow-v2"])
	for _, forbidden := range []string{"net", "regexp", "os/exec", "crypto/tls", "google.golang.org/grpc/codes", "google.golang.org/protobuf/proto", "github.com/sirupsen/logrus"} {
		if slices.Contains(deps, forbidden) {
			t.Errorf("the shim links %s", forbidden)
		}
	}
}

// Static, because it must run in any mount namespace; not PIE, because relocations cost 0.9 ms a start.
func TestRuntimeIsStaticAndNotPIE(t *testing.T) {
	onlyDhow(t, "says something about our own file")
	t.Parallel()
	f, err := elf.Open(underTest.runtime)
	must(t, err)
	defer f.Close()
	if f.Type != elf.ET_EXEC {
		t.Errorf("ELF type %v, want ET_EXEC", f.Type)
	}
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP || p.Type == elf.PT_DYNAMIC {
			t.Errorf("program header %v: the file is dynamic", p.Type)
		}
	}
	libraries, err := f.ImportedLibraries()
	if err == nil && len(libraries) > 0 {
		t.Errorf("needs %v", libraries)
	}
}

// The top level of what is committed is fixed; what somebody keeps beside it is theirs.
func TestTopLevel(t *testing.T) {
	t.Parallel()
	tree, err := Tree()
	must(t, err)
	allowed := []string{
		"runtime", "shim", "higher", "spec", "integration", "go.mod", "go.sum", "Makefile", "LICENSE", "README.md", "HACKING.md",
		"SPECIFICATION.md", ".ci", ".gitignore",
	}
	cmd := exec.Command("git", "ls-files")
	cmd.Dir = tree
	out, err := cmd.Output()
	if err != nil {
		t.Skipf("needs git and a checkout: %v", err)
	}
	for _, path := range lines(string(out)) {
		if top, _, _ := strings.Cut(path, "/"); !slices.Contains(allowed, top) {
			t.Errorf("%s does not belong at the top", path)
		}
	}
}

// The module in containerd2/ has this one in it, and has to follow when this one's modules change.
func TestModulesOfContainerd2(t *testing.T) {
	t.Parallel()
	tree, err := Tree()
	must(t, err)
	cmd := exec.Command("go", "list", "-deps", "./host")
	cmd.Dir = filepath.Join(tree, "integration/containerd2")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("cd integration/containerd2 && go mod tidy: %v: %s", err, lastLines(string(out), 5))
	}
}
