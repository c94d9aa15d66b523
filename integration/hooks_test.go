package integration

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	specs "github.com/opencontainers/runtime-spec/specs-go"

	"github.com/dhow-containers/dhow/integration/facts"
)

// hookLog is a directory that hooks write to, on the host and (through a bind mount) inside.
type hookLog struct {
	t    *testing.T
	dir  string
	Bind Edit
}

func newHookLog(t *testing.T) *hookLog {
	t.Helper()
	dir := t.TempDir()
	log := filepath.Join(dir, "log")
	must(t, os.WriteFile(log, nil, 0o666))
	must(t, os.Chmod(log, 0o666)) // hooks in a user namespace write there too
	return &hookLog{t: t, dir: dir, Bind: Bind(dir, dir)}
}

// Hook is a hook that records what it sees under a name.
func (l *hookLog) Hook(name string, inside bool) specs.Hook {
	path := underTest.probe
	if inside {
		path = "/probe"
	}
	return specs.Hook{Path: path, Args: []string{name, "hook", filepath.Join(l.dir, "log")}, Env: []string{"HOOK=" + name}}
}

func (l *hookLog) Entries() []facts.Hook {
	l.t.Helper()
	var entries []facts.Hook
	for line := range strings.Lines(readAll(l.t, filepath.Join(l.dir, "log"))) {
		var h facts.Hook
		must(l.t, json.Unmarshal([]byte(line), &h))
		entries = append(entries, h)
	}
	return entries
}

func (l *hookLog) Names() string {
	l.t.Helper()
	var names []string
	for _, h := range l.Entries() {
		names = append(names, h.Facts.Args[0])
	}
	return strings.Join(names, " ")
}

func (l *hookLog) all() Edit {
	return func(b *Bundle) {
		withProbe(b)
		l.Bind(b)
		b.Spec.Hooks = &specs.Hooks{
			Prestart:        []specs.Hook{l.Hook("prestart", false)},
			CreateRuntime:   []specs.Hook{l.Hook("createRuntime", false), l.Hook("createRuntime2", false)},
			CreateContainer: []specs.Hook{l.Hook("createContainer", false)},
			StartContainer:  []specs.Hook{l.Hook("startContainer", true)},
			Poststart:       []specs.Hook{l.Hook("poststart", false)},
			Poststop:        []specs.Hook{l.Hook("poststop", false)},
		}
	}
}

func TestHookOrder(t *testing.T) {
	t.Parallel()
	r, log := newCLI(t), newHookLog(t)
	id := r.Create(newBundle(t, log.all(), Args("sleep", "1000")))
	early := ""
	if underTest.kind == Runc {
		early = " poststart" // 1.1 runs it at the end of create
	}
	if got := log.Names(); got != "prestart createRuntime createRuntime2 createContainer"+early {
		t.Errorf("after create: %s", got)
	}
	r.Must("start", id)
	await(t, "the hooks of start", func() bool { return len(log.Entries()) >= 6 })
	got := strings.Split(log.Names(), " ")[4:]
	slices.Sort(got) // the order of these two is between two processes
	if strings.Join(got, " ") != "poststart startContainer" {
		t.Errorf("after start: %s", got)
	}
	r.Must("kill", id, "KILL")
	r.AwaitStatus(id, "stopped")
	r.Must("delete", id)
	if got := log.Names(); !strings.HasSuffix(got, " poststop") || len(log.Entries()) != 7 {
		t.Errorf("after delete: %s", got)
	}
}

func TestHookNamespacesAndState(t *testing.T) {
	t.Parallel()
	r, log := newCLI(t), newHookLog(t)
	b := newBundle(t, log.all(), Args("sleep", "1000"), func(b *Bundle) { b.Spec.Annotations = map[string]string{"a": "b"} })
	id := r.Started(b)
	pid := r.State(id).Pid
	r.Must("delete", "--force", id)
	want := map[string]struct {
		inside bool
		status []string
	}{
		"prestart": {false, []string{"creating", "created"}}, "createRuntime": {false, []string{"creating", "created"}},
		"createRuntime2": {false, []string{"creating", "created"}}, "createContainer": {true, []string{"creating", "created"}},
		"startContainer": {true, []string{"created", "starting"}}, "poststart": {false, []string{"running"}},
		"poststop": {false, []string{"stopped"}},
	}
	if underTest.kind == Runc {
		w := want["poststart"]
		w.status = []string{"created"} // as above
		want["poststart"] = w
	}
	own := ownNamespaces(t)
	for _, h := range log.Entries() {
		name := h.Facts.Args[0]
		w := want[name]
		var s state
		must(t, json.Unmarshal(h.State, &s))
		if s.ID != id || s.Bundle != b.Dir || s.Annotations["a"] != "b" || !slices.Contains(w.status, s.Status) {
			t.Errorf("%s got state %s, want status %v", name, h.State, w.status)
		}
		if inside := name == "createContainer" || name == "startContainer"; !inside && name != "poststop" && s.Pid != pid {
			t.Errorf("%s got pid %d, want %d", name, s.Pid, pid)
		}
		if got := h.Facts.Namespaces["mnt"] != own["mnt"]; got != w.inside {
			t.Errorf("%s ran inside the container: %v, want %v", name, got, w.inside)
		}
		if !slices.Equal(h.Facts.Env, []string{"HOOK=" + name}) {
			t.Errorf("%s has environment %v", name, h.Facts.Env)
		}
	}
}

// The container does not come to be if a hook before it fails; the error holds the hook's own words.
func TestFailingHooks(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	bad := []specs.Hook{{Path: "/bin/sh", Args: []string{"sh", "-c", "echo the reason >&2; exit 3"}}}
	for name, hooks := range map[string]*specs.Hooks{
		"prestart":        {Prestart: bad},
		"createRuntime":   {CreateRuntime: bad},
		"createContainer": {CreateContainer: bad},
	} {
		t.Run(name, func(t *testing.T) {
			r := &cli{t: t, Path: r.Path, Root: r.Root}
			log := newHookLog(t)
			id := r.ID()
			hooks.Poststop = []specs.Hook{log.Hook("poststop", false)}
			b := newBundle(t, func(b *Bundle) { b.Spec.Hooks = hooks })
			r.Detached("create", "--bundle", b.Dir, id).Failed("the reason").Exited(1)
			r.Do("state", id).Failed("does not exist")
			checkGone(t, id)
		})
	}
}

func TestFailingStartContainerHook(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	out := t.TempDir()
	b := newBundle(t, Shell("touch /out/ran"), Bind(out, "/out"), func(b *Bundle) {
		b.Spec.Hooks = &specs.Hooks{StartContainer: []specs.Hook{{Path: "/bin/false", Args: []string{"false"}}}}
	})
	id := r.Create(b)
	r.Do("start", id) // the failure may be known only after start returned
	r.AwaitStatus(id, "stopped")
	if exists(filepath.Join(out, "ran")) {
		t.Error("the process ran in spite of its startContainer hook")
	}
}

func TestHookTimeout(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	one := 1
	b := newBundle(t, func(b *Bundle) {
		b.Spec.Hooks = &specs.Hooks{CreateRuntime: []specs.Hook{{Path: "/bin/sleep", Args: []string{"sleep", "300"}, Timeout: &one}}}
	})
	begin := time.Now()
	r.Detached("create", "--bundle", b.Dir, r.ID()).Failed("time").Exited(1)
	if took := time.Since(begin); took > 10*time.Second {
		t.Errorf("a hook with a timeout of 1 s held create for %v", took)
	}
}

func TestMissingHook(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	b := newBundle(t, func(b *Bundle) {
		b.Spec.Hooks = &specs.Hooks{CreateRuntime: []specs.Hook{{Path: "/no/such/hook"}}}
	})
	r.Detached("create", "--bundle", b.Dir, r.ID()).Failed("/no/such/hook", "no such file or directory").Exited(1)
}

// Poststop hooks of a container that dies before its delete, and a failing one: delete goes on.
func TestFailingPoststopDoesNotStopDelete(t *testing.T) {
	t.Parallel()
	r, log := newCLI(t), newHookLog(t)
	id := r.Create(newBundle(t, func(b *Bundle) {
		b.Spec.Hooks = &specs.Hooks{Poststop: []specs.Hook{{Path: "/bin/false"}, log.Hook("second", false)}}
	}))
	r.Do("delete", "--force", id)
	if got := log.Names(); underTest.kind == Dhow && got != "second" {
		t.Errorf("ran %q, want the second hook too", got)
	}
	r.Do("state", id).Failed("does not exist")
}

// A createRuntime hook finds the namespaces of the pid it is told, before the root is changed.
func TestHookSeesTheContainersNetwork(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	out := filepath.Join(t.TempDir(), "ns")
	script := `pid=$(sed 's/.*"pid": *\([0-9]*\).*/\1/'); readlink /proc/$pid/ns/net > ` + out
	b := newBundle(t, probe("dump"), func(b *Bundle) {
		b.Spec.Hooks = &specs.Hooks{CreateRuntime: []specs.Hook{{
			Path: "/bin/sh", Args: []string{"sh", "-c", script}, Env: []string{"PATH=/usr/bin:/bin"},
		}}}
	})
	f := r.Run(b).Facts()
	if got := readFile(t, out); got != f.Namespaces["net"] {
		t.Errorf("the hook saw %s, the container %s", got, f.Namespaces["net"])
	}
}
