package hooks_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/runtime/hooks"
)

const state = `{"ociVersion":"1.3.0","id":"web","status":"creating"}`

func sh(script string) specs.Hook {
	return specs.Hook{Path: "/bin/sh", Args: []string{"sh", "-c", script}}
}

func run(t *testing.T, attr hooks.Attr, list ...specs.Hook) error {
	t.Helper()
	return hooks.Run(t.Context(), "createRuntime", list, []byte(state), attr)
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestStateOnStdin(t *testing.T) {
	dir := t.TempDir()
	if err := run(t, hooks.Attr{Dir: dir}, sh("cat >a"), sh("exec cat >b")); err != nil {
		t.Fatal(err)
	}
	if a, b := read(t, dir+"/a"), read(t, dir+"/b"); a != state || b != state {
		t.Errorf("got %q and %q", a, b)
	}
}

func TestLargeStateUnread(t *testing.T) {
	big := []byte(strings.Repeat("x", 1<<20))
	dir := t.TempDir()
	list := []specs.Hook{sh("true"), sh("exec <&-; true"), sh("head -c 5 >/dev/null"), sh("wc -c >n")}
	if err := hooks.Run(t.Context(), "poststart", list, big, hooks.Attr{Dir: dir}); err != nil {
		t.Fatal(err)
	}
	if got := strings.TrimSpace(read(t, dir+"/n")); got != "1048576" {
		t.Errorf("the last hook read %s bytes", got)
	}
}

func TestArgsAndEnvironment(t *testing.T) {
	t.Setenv("FROM_CALLER", "1")
	dir := t.TempDir()
	script := filepath.Join(dir, "hook")
	text := "#!/bin/sh\n{ echo \"$0 $*\"; tr '\\0' '\\n' </proc/$$/environ; } >" + dir + "/out\n"
	if err := os.WriteFile(script, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		hook specs.Hook
		want string
	}{
		{"none", specs.Hook{Path: script}, script + " \n"},
		{"empty", specs.Hook{Path: script, Env: []string{}, Args: []string{}}, script + " \n"},
		{"given", specs.Hook{Path: script, Args: []string{"zero", "a", "b"}, Env: []string{"A=1", "B="}}, script + " a b\nA=1\nB=\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if err := run(t, hooks.Attr{}, tt.hook); err != nil {
				t.Fatal(err)
			}
			if got := read(t, dir+"/out"); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestErrors(t *testing.T) {
	const prefix = `cannot run hook hooks.createRuntime[1] (`
	for _, tt := range []struct {
		name string
		hook specs.Hook
		want string
	}{
		{"silent", sh("exit 3"), prefix + `"/bin/sh"): error running createRuntime hook #1: exit status 3`},
		{"both streams", sh("echo one; echo two >&2; exit 1"), prefix + `"/bin/sh"): error running createRuntime hook #1: exit status 1: one` + "\ntwo"},
		{"control characters", sh(`printf 'a\033[2J\377b\n'; exit 1`), prefix + `"/bin/sh"): error running createRuntime hook #1: exit status 1: a?[2J?b`},
		{"signal", sh("kill -9 $$"), prefix + `"/bin/sh"): error running createRuntime hook #1: killed by signal 9 (SIGKILL, killed)`},
		{"missing", specs.Hook{Path: "/no/such"}, prefix + `"/no/such"): error running createRuntime hook #1: no such file or directory`},
		{"not executable", specs.Hook{Path: "/etc/passwd"}, prefix + `"/etc/passwd"): error running createRuntime hook #1: permission denied`},
		{"timeout", withTimeout(sh("echo begun; sleep 60"), 1), prefix + `"/bin/sh"): error running createRuntime hook #1: timed out after 1s: begun`},
		{"bad timeout", withTimeout(sh("true"), 0), prefix + `"/bin/sh"): timeout 0 is not above 0`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := run(t, hooks.Attr{}, sh("true"), tt.hook, sh("echo not reached; exit 9"))
			if err == nil || err.Error() != tt.want {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}

func withTimeout(h specs.Hook, seconds int) specs.Hook {
	h.Timeout = &seconds
	return h
}

func TestOutputTail(t *testing.T) {
	err := run(t, hooks.Attr{}, sh("seq 1 100000; echo the end; exit 1"))
	if err == nil {
		t.Fatal("no error")
	}
	text := err.Error()
	if !strings.Contains(text, "exit status 1: …") || !strings.HasSuffix(text, "100000\nthe end") || len(text) > 4250 {
		t.Errorf("%d bytes: %.100s … %s", len(text), text, text[len(text)-30:])
	}
}

func TestWorkingDirectory(t *testing.T) {
	dir := t.TempDir()
	if err := run(t, hooks.Attr{Dir: dir}, sh("pwd -P >out")); err != nil {
		t.Fatal(err)
	}
	want, err := filepath.EvalSymlinks(dir)
	if got := read(t, dir+"/out"); err != nil || got != want+"\n" {
		t.Errorf("ran in %q, want %q (%v)", got, want, err)
	}
	const prefix = `cannot run hook hooks.createRuntime[0] (`
	for _, tt := range []struct {
		dir  string
		hook specs.Hook
		want string
	}{
		{dir + "/none", sh("true"), prefix + `"/bin/sh"): error running createRuntime hook #0: cannot enter its working directory: open ` + dir + "/none: no such file or directory"},
		{dir + "/out", sh("true"), prefix + `"/bin/sh"): error running createRuntime hook #0: cannot enter its working directory: open ` + dir + "/out: not a directory"},
		{dir, specs.Hook{Path: "/no/such"}, prefix + `"/no/such"): error running createRuntime hook #0: no such file or directory`},
	} {
		if err := run(t, hooks.Attr{Dir: tt.dir}, tt.hook); err == nil || err.Error() != tt.want {
			t.Errorf("got %v, want %s", err, tt.want)
		}
	}
}

// TestTimeoutKillsGroup has the hook wait for a child that would outlive it.
func TestTimeoutKillsGroup(t *testing.T) {
	dir := t.TempDir()
	if err := run(t, hooks.Attr{Dir: dir}, withTimeout(sh("sleep 60 & echo $! >pid; wait"), 2)); err == nil {
		t.Fatal("no error")
	}
	pid := strings.TrimSpace(read(t, dir+"/pid"))
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); {
		stat, err := os.ReadFile("/proc/" + pid + "/stat")
		if err != nil || strings.Contains(string(stat), ") Z ") {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("process %s is still there", pid)
}

// TestBackgroundChild has a process stay behind with the output open.
func TestBackgroundChild(t *testing.T) {
	for script, want := range map[string]string{
		"sleep 15 & exit 0":               "",
		"echo sorry; sleep 15 & exit 1":   "exit status 1: sorry",
		"echo sorry; yes '' & exit 1":     "exit status 1",
		"setsid sleep 15 & sleep 60; : ;": "timed out after 1s",
	} {
		limit := 10
		if strings.HasPrefix(want, "timed out") {
			limit = 1
		}
		start := time.Now()
		err := run(t, hooks.Attr{}, withTimeout(sh(script), limit))
		if d := time.Since(start); d > 8*time.Second {
			t.Errorf("%s: took %v", script, d)
		}
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", script, err, want)
		}
	}
}

func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, cancel)
	err := hooks.Run(ctx, "prestart", []specs.Hook{sh("sleep 60")}, nil, hooks.Attr{})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if err := hooks.Run(ctx, "prestart", []specs.Hook{sh("true")}, nil, hooks.Attr{}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestRunAll(t *testing.T) {
	dir := t.TempDir()
	var warnings []string
	list := []specs.Hook{sh("exit 2"), sh("echo ran >out"), {Path: "/no/such"}}
	hooks.RunAll(t.Context(), "poststop", list, nil, hooks.Attr{Dir: dir}, func(err error) { warnings = append(warnings, err.Error()) })
	want := []string{
		`cannot run hook hooks.poststop[0] ("/bin/sh"): error running poststop hook #0: exit status 2`,
		`cannot run hook hooks.poststop[2] ("/no/such"): error running poststop hook #2: no such file or directory`,
	}
	if strings.Join(warnings, "\n") != strings.Join(want, "\n") || read(t, dir+"/out") != "ran\n" {
		t.Errorf("got %q", warnings)
	}
}

// TestStarter has the caller start the processes.
func TestStarter(t *testing.T) {
	var seen []string
	attr := hooks.Attr{Start: func(argv0 string, argv, env []string, files [3]*os.File) (func() (int, bool, error), func(), error) {
		seen = append([]string{argv0}, argv...)
		_, _ = files[2].WriteString("from outside")
		return func() (int, bool, error) { return int(unix.SIGTERM), true, nil }, func() {}, nil
	}}
	err := run(t, attr, specs.Hook{Path: "/bin/x", Args: []string{"x", "y"}})
	if want := `cannot run hook hooks.createRuntime[0] ("/bin/x"): error running createRuntime hook #0: killed by signal 15 (SIGTERM, terminated): from outside`; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	if strings.Join(seen, " ") != "/bin/x x y" {
		t.Errorf("started %q", seen)
	}
}

func TestNoDescriptorLeft(t *testing.T) {
	before := countFDs(t)
	for range 5 {
		_ = run(t, hooks.Attr{}, sh("true"), sh("sleep 2 & exit 1"))
		_ = run(t, hooks.Attr{}, specs.Hook{Path: "/no/such"})
	}
	if after := countFDs(t); after > before+1 { // the runtime's own poller may have come up
		t.Errorf("%d descriptors, then %d", before, after)
	}
}

func TestNoDescriptorInherited(t *testing.T) {
	dir := t.TempDir()
	if err := run(t, hooks.Attr{Dir: dir}, sh("exec ls -l /proc/self/fd 2>&1 >out")); err != nil {
		t.Fatal(err)
	}
	// One pipe each, besides what this test was itself started with.
	var plain strings.Builder
	ls := exec.Command("ls", "-l", "/proc/self/fd")
	ls.Stdout = &plain
	if err := ls.Run(); err != nil {
		t.Fatal(err)
	}
	got := read(t, dir+"/out")
	if strings.Count(got, "memfd:state") != 1 || strings.Count(got, "pipe:") != strings.Count(plain.String(), "pipe:") {
		t.Errorf("got %s", got)
	}
}

func countFDs(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}
