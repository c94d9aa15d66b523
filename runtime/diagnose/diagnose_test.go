package diagnose

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/runtime/launch"
	"github.com/dhow-containers/dhow/runtime/plan"
	"github.com/dhow-containers/dhow/spec"
)

func TestFieldOf(t *testing.T) {
	for text, want := range map[string]string{
		"cannot mount proc on /proc (mounts[0]): fsmount: operation not permitted": "mounts[0]",
		"cannot open \"/x (1)\" (mounts[7].source): no such file":                  "mounts[7].source",
		"cannot set linux.resources.memory.limit: write x: device busy":            "linux.resources.memory.limit",
		"cannot run hook hooks.poststop[1] (\"/bin/x\"): exit status 1":            "hooks.poststop[1]",
		"cannot write the pid file (--pid-file /x): is a directory":                "--pid-file",
		"cannot record container \"a\" under --root: write state.json: full":       "--root",
		"cannot set the host name (hostname): sethostname: invalid argument":       "hostname",
		"cannot find container \"x\": container does not exist":                    "",
		"cannot do (this: that":                                       "",
		"unknown command \"bogus\" (see 'runtime --help')":            "",
		"--root x: it must be absolute (see 'runtime create --help')": "--root",
	} {
		if got := FieldOf(text); got != want {
			t.Errorf("FieldOf(%q) = %q, want %q", text, got, want)
		}
	}
}

// A kernel before 6.5 says which mount failed, but not which of its options.
func TestAbsentLayer(t *testing.T) {
	config := &specs.Spec{Mounts: []specs.Mount{{Type: "overlay", Options: []string{"ro", "lowerdir=/:/no-such", "workdir=/"}}}}
	f := &Failure{Context: Context{Config: config}, Call: "fsconfig", Errno: unix.ENOENT, Field: "mounts[0]", What: "cannot mount overlay on /mnt (mounts[0])"}
	for _, what := range []string{f.What, "cannot mount overlay: option lowerdir=/:/no-such (mounts[0])"} {
		f.What = what
		if rule, hint := f.hint(); rule != "mount-option-path" || !strings.Contains(hint, `nothing named "no-such"`) {
			t.Errorf("%s: rule %q, hint %q", what, rule, hint)
		}
	}
	config.Mounts[0].Type = "tmpfs"
	f.What = "cannot mount tmpfs on /mnt (mounts[0])"
	if rule, hint := f.hint(); hint != "" {
		t.Errorf("tmpfs: rule %q, hint %q", rule, hint)
	}
}

func TestDescribe(t *testing.T) {
	step := &launch.StepError{Step: 41, Errno: unix.EPERM, Info: plan.StepInfo{Task: plan.Task{What: "mount proc on /proc", Field: "mounts[0]"}, Call: "fsmount"}}
	for name, c := range map[string]struct {
		err  error
		want Report
	}{
		"step":   {step, Report{Code: "mount", Field: "mounts[0]", Step: 41, Syscall: "fsmount", Errno: "EPERM"}},
		"hinted": {&Error{Err: step, Hint: "see (linux.namespaces)", Rule: "x"}, Report{Code: "mount", Field: "mounts[0]", Step: 41, Syscall: "fsmount", Errno: "EPERM", Hint: "see (linux.namespaces)", Rule: "x"}},
		"path": {fmt.Errorf("cannot open the state directory (--root): %w", &fs.PathError{Op: "open", Path: "/x", Err: unix.EACCES}),
			Report{Code: "state", Field: "--root", Step: -1, Syscall: "open", Errno: "EACCES"}},
		"config":   {&spec.Problems{Object: "config.json", List: []spec.Problem{{Pointer: "/a", Message: "x"}, {Pointer: "/b", Message: "y"}}}, Report{Code: "invalid-config", Step: -1}},
		"internal": {errors.New("internal error: no"), Report{Code: "internal", Step: -1}},
		"other":    {errors.New("cannot guess"), Report{Code: "failed", Step: -1}},
	} {
		got := Describe(c.err)
		c.want.Message, c.want.Fields = got.Message, got.Fields
		if fmt.Sprint(*got) != fmt.Sprint(c.want) {
			t.Errorf("%s: got %+v, want %+v", name, *got, c.want)
		}
		if (name == "config") != (strings.Join(got.Fields, " ") == "/a /b") {
			t.Errorf("%s: fields %q", name, got.Fields)
		}
	}
}

func TestExplainOnce(t *testing.T) {
	err := fmt.Errorf("cannot open %q (mounts[0].source): %w", "/no-such-directory/x", unix.ENOENT)
	once := Explain(err, Context{})
	if !strings.HasSuffix(once.Error(), "; hint: the host has no /no-such-directory") || !errors.Is(once, unix.ENOENT) {
		t.Errorf("got %v", once)
	}
	wrapped := fmt.Errorf("outer: %w", once)
	if again := Explain(wrapped, Context{}); again != wrapped {
		t.Errorf("explained twice: %v", again)
	}
	if Explain(nil, Context{}) != nil {
		t.Error("no error was explained")
	}
	if plain := errors.New("x"); Explain(plain, Context{}) != plain {
		t.Error("an error without a reason was changed")
	}
}

func TestAbsent(t *testing.T) {
	dir := t.TempDir()
	if err := os.Symlink("/nowhere/at/all", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		dir:             "",
		dir + "/a":      "the host has " + dir + `, and nothing named "a" in it`,
		dir + "/a/b":    "the host has no " + dir + "/a",
		dir + "/link/b": dir + "/link is a symbolic link to /nowhere/at/all, which the host does not have",
		"relative":      "",
	} {
		if got := Absent(name); got != want {
			t.Errorf("Absent(%q) = %q, want %q", name, got, want)
		}
	}
}

func TestParseELF(t *testing.T) {
	self, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	e := parseELF(self[:headSize])
	if e == nil || machineName(e.machine) != runtime.GOARCH || e.foreign() {
		t.Errorf("this program: %+v", e)
	}
	if sh, err := os.ReadFile("/bin/sh"); err == nil {
		if e := parseELF(sh[:headSize]); e == nil || !strings.HasPrefix(e.interpreter, "/lib") {
			t.Errorf("/bin/sh: %+v", e)
		}
	}
	arm := append([]byte{}, self[:headSize]...)
	arm[18], arm[19] = 183, 0
	if e := parseELF(arm); e == nil || !e.foreign() || machineName(e.machine) != "arm64" {
		t.Errorf("a program for arm64: %+v", e)
	}
	if parseELF([]byte("#!/bin/sh\n")) != nil {
		t.Error("a script is no ELF file")
	}
}

func TestShebang(t *testing.T) {
	for head, want := range map[string]string{
		"#!/bin/sh\necho":        "/bin/sh",
		"#! /usr/bin/env  x\n":   "/usr/bin/env",
		"#!/bin/sh\r\n":          "/bin/sh\r",
		"#!\n":                   "",
		"echo #!/bin/sh":         "",
		"#!\t/bin/awk -f\nBEGIN": "/bin/awk",
	} {
		if got := shebang([]byte(head)); got != want {
			t.Errorf("shebang(%q) = %q, want %q", head, got, want)
		}
	}
}

func FuzzParseELF(f *testing.F) {
	if self, err := os.ReadFile("/proc/self/exe"); err == nil {
		f.Add(self[:headSize])
	}
	f.Add([]byte("\x7fELF\x01\x02"))
	f.Fuzz(func(_ *testing.T, head []byte) {
		if e := parseELF(head); e != nil {
			e.foreign()
		}
		shebang(head)
	})
}

func TestPrintable(t *testing.T) {
	for text, want := range map[string]string{
		"/bin/tool is a script for /bin/sh": "/bin/tool is a script for /bin/sh",
		"Grüße, \"世界\"":                     "Grüße, \"世界\"",
		"a\nb\x1b[2J\t\x00\x7f":             `a\nb\x1b[2J\t\x00\x7f`,
		"\xff\u202e\uFFFD":                  "\\xff\\u202e\uFFFD",
	} {
		if got := printable(text); got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
}
