package integration

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// A failing poststart hook ends the container (runtime.md, "Lifecycle", step 9): start and run fail with the hook's
// words, the hooks behind it do not run, no process is left, and those of poststop run.

var failingHook = specs.Hook{Path: "/bin/sh", Args: []string{"sh", "-c", "echo the reason >&2; exit 3"}}

// poststartBundle has more processes than the init in a pid namespace of its own would take with it.
func poststartBundle(t *testing.T, log *hookLog, out string) *Bundle {
	return newBundle(t, Shell("sleep 1000 & sleep 1000 & echo >/out/ready; wait"), Bind(out, "/out"), NoNamespace(specs.PIDNamespace), func(b *Bundle) {
		ready := specs.Hook{Path: "/bin/sh", Args: []string{"sh", "-c", "until [ -e " + out + "/ready ]; do :; done"}}
		b.Spec.Hooks = &specs.Hooks{
			Poststart: []specs.Hook{ready, failingHook, log.Hook("poststart2", false)},
			Poststop:  []specs.Hook{log.Hook("poststop", false)},
		}
	})
}

func TestFailingPoststartOfStart(t *testing.T) {
	onlyDhow(t, "it runs them at the end of create")
	t.Parallel()
	r, log, out := newCLI(t), newHookLog(t), t.TempDir()
	id := r.Create(poststartBundle(t, log, out))
	pid := r.State(id).Pid
	r.Do("start", id).Failed("hooks.poststart[1]", "exit status 3", "the reason").Exited(1)
	if s := r.State(id); s.Status != "stopped" || !ended(pid) {
		t.Errorf("after start: %+v", s)
	}
	await(t, "the processes to end", func() bool { return len(r.processes(id)) == 0 })
	if got := log.Names(); got != "" {
		t.Errorf("ran %q before the delete", got)
	}
	r.Must("delete", id)
	if got := log.Names(); got != "poststop" {
		t.Errorf("ran %q", got)
	}
}

func TestFailingPoststartOfRun(t *testing.T) {
	onlyDhow(t, "1.1 leaves the log to the delete")
	t.Parallel()
	for _, detach := range []string{"--detach", "--detach=false"} {
		r, log, out := newCLI(t), newHookLog(t), t.TempDir()
		id := r.ID()
		r.Detached("run", detach, "--bundle", poststartBundle(t, log, out).Dir, id).Failed("hooks.poststart[1]", "the reason").Exited(1)
		r.Do("state", id).Failed("does not exist")
		checkGone(t, id)
		if got := log.Names(); got != "poststop" {
			t.Errorf("run %s: ran %q", detach, got)
		}
	}
}

// What start could not begin has stopped when it returns, whatever failed.
func TestFailedStartHasStopped(t *testing.T) {
	onlyDhow(t, "it may return earlier")
	t.Parallel()
	for name, edit := range map[string]Edit{
		"startContainer": func(b *Bundle) { b.Spec.Hooks = &specs.Hooks{StartContainer: []specs.Hook{{Path: "/bin/false"}}} },
		"execve":         File("bin/broken", "#!/no/such/interpreter\n", 0o755),
	} {
		r := newCLI(t)
		b := newBundle(t, edit)
		if name == "execve" {
			Args("/bin/broken")(b)
			must(t, b.Save())
		}
		id := r.Create(b)
		pid := r.State(id).Pid
		r.Do("start", id).Failed().Exited(1)
		if s := r.State(id); s.Status != "stopped" || !ended(pid) {
			t.Errorf("%s: after start: %+v", name, s)
		}
		r.Must("delete", id)
	}
}

// Failures of poststop hooks are warnings: each is logged, all hooks run, and the verb succeeds.
func TestFailingPoststopIsAWarning(t *testing.T) {
	onlyDhow(t, "1.1 stops at the first")
	t.Parallel()
	for _, verb := range []string{"delete", "run"} {
		r, log := newCLI(t), newHookLog(t)
		file := filepath.Join(t.TempDir(), "runtime.log")
		b := newBundle(t, Args("true"), func(b *Bundle) {
			b.Spec.Hooks = &specs.Hooks{Poststop: []specs.Hook{failingHook, log.Hook("second", false), {Path: "/no/such/hook"}, log.Hook("fourth", false)}}
		})
		id := r.ID()
		if verb == "delete" {
			r.Detached("create", "--bundle", b.Dir, id).Exited(0)
			r.Must("start", id)
			r.AwaitStatus(id, "stopped")
			r.Must("--log", file, "--log-format", "json", "delete", id)
		} else {
			r.Must("--log", file, "--log-format", "json", "run", "--bundle", b.Dir, id)
		}
		if got := log.Names(); got != "second fourth" {
			t.Errorf("%s: ran %q", verb, got)
		}
		text, err := os.ReadFile(file)
		must(t, err)
		warnings := lines(string(text))
		if len(warnings) != 2 || !strings.Contains(warnings[0], "hooks.poststop[0]") || !strings.Contains(warnings[0], "the reason") ||
			!strings.Contains(warnings[1], "hooks.poststop[2]") || strings.Count(string(text), `"level":"warn`) != 2 {
			t.Errorf("%s: logged %s", verb, text)
		}
		r.Do("state", id).Failed("does not exist")
	}
}
