package plan

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/dhow-containers/dhow/spec"
)

var update = flag.Bool("update", false, "rewrite testdata/*/plan.txt")

// allCapabilities are what root has on a kernel that knows none after CAP_CHECKPOINT_RESTORE.
const allCapabilities = 1<<(lastKnownCapability+1) - 1

// goldenCase is one directory of testdata: config.json and, as compiled, plan.txt.
type goldenCase struct {
	name    string
	in      *Input
	program *Program
}

// compilers are the cases that are not a new container; the number is the pid of the init.
var compilers = map[string]func(*Input) (*Program, error){
	"exec":              compileExec,
	"exec-affinity":     compileExec,
	"exec-notify":       compileExec,
	"exec-lsm":          compileExec,
	"exec-user":         compileExec,
	"exec-terminal":     compileExec,
	"exec-chroot":       compileExec,
	"exec-shared":       compileExec,
	"rootless-exec":     compileExec,
	"rootless-exec-lsm": compileExec,
	"hook": func(in *Input) (*Program, error) {
		return CompileHook(in.Config, &in.Config.Hooks.CreateContainer[0], 42, "hooks.createContainer[0]", nil)
	},
	"hook-no-args": func(in *Input) (*Program, error) {
		return CompileHook(in.Config, &in.Config.Hooks.StartContainer[0], 42, "hooks.startContainer[0]", in.Filter)
	},
}

func compileExec(in *Input) (*Program, error) { return CompileExec(in, 42) }

// goldenCases compiles every case.
func goldenCases(t testing.TB) []goldenCase {
	t.Helper()
	files, err := filepath.Glob("testdata/*/config.json")
	if err != nil || len(files) == 0 {
		t.Fatal("no cases in testdata", err)
	}
	var list []goldenCase
	for _, file := range files {
		g := goldenCase{name: filepath.Base(filepath.Dir(file))}
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if g.in, err = goldenInput(data); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		if tweak := tweaks[g.name]; tweak != nil {
			tweak(g.in)
		}
		compile := compilers[g.name]
		if compile == nil {
			compile = Compile
		}
		if g.program, err = compile(g.in); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		list = append(list, g)
	}
	return list
}

// goldenInput is the Input that a case starts from: `run` on a host with cgroup v2 alone.
func goldenInput(data []byte) (*Input, error) {
	doc, err := spec.Decode(data)
	if err == nil {
		err = spec.Validate(doc.Spec)
	}
	if err != nil {
		return nil, err
	}
	return &Input{ID: "c1", Bundle: "/bundle", Rootfs: "/bundle/rootfs", Config: doc.Spec,
		Host: Host{Unified: true, CgroupRoot: "/sys/fs/cgroup", Capabilities: allCapabilities}}, nil
}

func TestGolden(t *testing.T) {
	for _, g := range goldenCases(t) {
		t.Run(g.name, func(t *testing.T) {
			var got bytes.Buffer
			if err := g.program.WriteTable(&got); err != nil {
				t.Fatal(err)
			}
			file := filepath.Join("testdata", g.name, "plan.txt")
			if *update {
				if err := os.WriteFile(file, got.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got.Bytes(), want) {
				t.Errorf("the plan is not that of %s (run with -update and look at git diff):\n%s", file, firstDifference(got.Bytes(), want))
			}
		})
	}
}

func firstDifference(got, want []byte) string {
	a, b := bytes.Split(got, []byte("\n")), bytes.Split(want, []byte("\n"))
	for i := range min(len(a), len(b)) {
		if !bytes.Equal(a[i], b[i]) {
			return "got  " + string(a[i]) + "\nwant " + string(b[i])
		}
	}
	return "one is longer than the other"
}

// TestCasesExist keeps the tables of this package's tests from naming cases that are gone.
func TestCasesExist(t *testing.T) {
	var names []string
	for name := range tweaks {
		names = append(names, name)
	}
	for name := range compilers {
		names = append(names, name)
	}
	for _, name := range names {
		if _, err := os.Stat(filepath.Join("testdata", name, "config.json")); err != nil {
			t.Error(err)
		}
	}
}

// TestPure compiles everything twice: a Program depends on the input alone, and leaves it as it is.
func TestPure(t *testing.T) {
	first := goldenCases(t)
	for i, g := range first {
		compile := compilers[g.name]
		if compile == nil {
			compile = Compile
		}
		p, err := compile(g.in)
		if err != nil {
			t.Fatal(err)
		}
		var a, b bytes.Buffer
		if err := first[i].program.WriteTable(&a); err != nil {
			t.Fatal(err)
		}
		if err := p.WriteTable(&b); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(a.Bytes(), b.Bytes()) {
			t.Errorf("%s: compiled again: %s", g.name, firstDifference(b.Bytes(), a.Bytes()))
		}
	}
}

// TestJSON checks that the other form of `runtime plan` says the same.
func TestJSON(t *testing.T) {
	for _, g := range goldenCases(t) {
		var buf bytes.Buffer
		if err := g.program.WriteJSON(&buf); err != nil {
			t.Fatal(err)
		}
		var got jsonProgram
		if err := json.Unmarshal(buf.Bytes(), &got); err != nil {
			t.Fatalf("%s: %v", g.name, err)
		}
		if len(got.Steps) != len(g.program.Steps) || len(got.Files) != len(g.program.Files) {
			t.Fatalf("%s: %d steps and %d files, the Program has %d and %d", g.name,
				len(got.Steps), len(got.Files), len(g.program.Steps), len(g.program.Files))
		}
		for i, s := range got.Steps {
			want := &g.program.Steps[i]
			if s.Step != i || s.Text != want.format() || s.Next != want.Next || s.Operation == "" {
				t.Errorf("%s: step %d is %+v", g.name, i, s)
			}
		}
	}
}

// TestNamedCalls: every call of every Program has a name and a word for each argument that matters.
func TestNamedCalls(t *testing.T) {
	for _, g := range goldenCases(t) {
		for i := range g.program.Steps {
			s := &g.program.Steps[i]
			if s.Op != Syscall {
				continue
			}
			name, kinds := callInfo(s.Call)
			if name == "" || len(kinds) < len(s.Args) {
				t.Errorf("%s: step %d, call %d: name %q, arguments %q of %d", g.name, i, s.Call, name, kinds, len(s.Args))
			}
		}
	}
}
