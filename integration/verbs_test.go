package integration

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"github.com/opencontainers/runtime-spec/specs-go/features"
)

func TestKillByNameAndNumber(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	out := t.TempDir()
	script := `for s in TERM HUP USR1 USR2 INT; do trap "echo $s >> /out/log" $s; done; touch /out/ready; while :; do sleep 0.02; done`
	id := r.Started(newBundle(t, Shell(script), Bind(out, "/out")))
	await(t, "the traps", func() bool { return exists(filepath.Join(out, "ready")) })
	want := ""
	for signal, name := range map[string]string{"SIGTERM": "TERM", "HUP": "HUP", "10": "USR1", "usr2": "USR2", "sigint": "INT"} {
		r.Must("kill", id, signal)
		want += name + "\n"
		await(t, signal, func() bool {
			data, err := os.ReadFile(filepath.Join(out, "log"))
			return err == nil && string(data) == want
		})
	}
	r.Do("kill", id, "NOSUCH").Failed("NOSUCH")
	r.Do("kill", id, "999").Failed()
}

func TestKillDefaultsToTerm(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	out := t.TempDir()
	id := r.Started(newBundle(t, Shell("trap 'exit 0' TERM; touch /out/ready; while :; do sleep 0.02; done"), Bind(out, "/out")))
	await(t, "the trap", func() bool { return exists(filepath.Join(out, "ready")) })
	r.Must("kill", id)
	r.AwaitStatus(id, "stopped")
}

// With the host's pid namespace the kernel kills no children of a dead init: --all and delete must.
func TestKillAllWithoutAPidNamespace(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	id := r.Started(newBundle(t, Shell("sleep 1000 & sleep 1000 & wait"), NoNamespace(specs.PIDNamespace)))
	await(t, "three processes", func() bool { return len(r.processes(id)) == 3 })
	pids := r.processes(id)
	r.Must("kill", "--all", id, "KILL")
	for _, pid := range pids {
		await(t, "the processes to end", func() bool { return ended(pid) })
	}
}

func TestDeleteForceKillsEverything(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	for _, edit := range []Edit{func(*Bundle) {}, NoNamespace(specs.PIDNamespace)} {
		id := r.Started(newBundle(t, Shell("trap '' TERM; sleep 1000 & sleep 1000 & wait"), edit))
		await(t, "three processes", func() bool { return len(r.processes(id)) == 3 })
		pids := r.processes(id)
		r.Must("delete", "--force", id)
		for _, pid := range pids {
			await(t, "the processes to end", func() bool { return ended(pid) })
		}
	}
}

func TestDeleteForceOfNothing(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	r.Must("delete", "--force", "dhowtest-absent")
	r.Do("delete", "dhowtest-absent").Failed("does not exist").Exited(1)
}

// A record that a power loss has emptied or cut must not keep its container's name for ever.
func TestDeleteForceOfABrokenRecord(t *testing.T) {
	onlyDhow(t, "each has files of its own")
	t.Parallel()
	r := newCLI(t)
	whole := r.ID()
	r.Detached("create", "--bundle", newBundle(t).Dir, whole).Exited(0)
	good := readFile(t, filepath.Join(r.Root, whole, "state.json"))
	for _, text := range []string{"", "{", "\x00\x00", good[:len(good)/2], good[:len(good)-1], good} { // the last is another's
		id := r.ID()
		dir := filepath.Join(r.Root, id)
		must(t, os.Mkdir(dir, 0o700))
		must(t, os.WriteFile(filepath.Join(dir, "state.json"), []byte(text), 0o600))
		r.Do("state", id).Failed(id).Exited(1)
		r.Do("delete", id).Failed(id).Exited(1)
		r.Must("delete", "--force", id)
		if exists(dir) {
			t.Errorf("delete --force leaves the record %q", clip(text))
		}
	}
	if got := r.State(whole).Status; got != "created" {
		t.Errorf("another container is %s", got)
	}
}

func TestList(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	must(t, os.MkdirAll(r.Root, 0o700))
	r.Must("list", "--quiet").Printed("")
	b := newBundle(t, Args("sleep", "1000"))
	one, two := r.Create(b), r.Started(b)
	got := lines(r.Must("list", "--quiet").Stdout)
	slices.Sort(got)
	want := []string{one, two}
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("list --quiet: %q, want %q", got, want)
	}
	table := r.Must("list").Stdout
	for _, word := range []string{"ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER", one, two, "created", "running", b.Dir} {
		if !strings.Contains(table, word) {
			t.Errorf("list lacks %q:\n%s", word, table)
		}
	}
}

func TestListJSON(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	b := newBundle(t)
	id := r.Create(b)
	var all []struct {
		ID, Status, Bundle, Rootfs, Created, Owner string
		Pid                                        int
	}
	decode(t, r.Must("list", "--format", "json").Stdout, &all)
	if len(all) != 1 || all[0].ID != id || all[0].Status != "created" || all[0].Bundle != b.Dir || all[0].Rootfs != b.Rootfs() ||
		all[0].Pid == 0 || all[0].Created == "" || all[0].Owner != "root" {
		t.Errorf("list --format json: %+v", all)
	}
	r.Do("list", "--format", "nosuch").Failed("format")
}

func TestPs(t *testing.T) {
	t.Parallel()
	r, id := sleeper(t)
	pid := r.State(id).Pid
	if got := r.processes(id); !slices.Equal(got, []int{pid}) {
		t.Errorf("ps --format json: %v, want %d", got, pid)
	}
	table := r.Must("ps", id).Stdout
	if !strings.Contains(table, "PID") || !strings.Contains(table, "sleep 1000") || len(lines(table)) != 2 {
		t.Errorf("ps:\n%s", table)
	}
	if got := lines(r.Must("ps", id, "-o", "pid").Stdout); len(got) != 2 || strings.TrimSpace(got[1]) != itoa(pid) {
		t.Errorf("ps -o pid: %q", got)
	}
}

func TestSpecMakesARunnableConfig(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	b := newBundle(t)
	must(t, os.Remove(filepath.Join(b.Dir, "config.json")))
	r.Must("spec", "--bundle", b.Dir)
	r.Do("spec", "--bundle", b.Dir).Failed("config.json") // never over an existing file
	var spec specs.Spec
	must(t, json.Unmarshal([]byte(readFile(t, filepath.Join(b.Dir, "config.json"))), &spec))
	if !spec.Process.Terminal || !slices.Equal(spec.Process.Args, []string{"sh"}) || spec.Root.Path != "rootfs" {
		t.Errorf("default config: %+v %+v", spec.Process, spec.Root)
	}
	spec.Process.Terminal, spec.Process.Args = false, []string{"echo", "ran"}
	b.Spec = &spec
	must(t, b.Save())
	r.Run(b).Exited(0).Printed("ran")
}

func TestSpecRootless(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	dir := t.TempDir()
	r.Must("spec", "--rootless", "--bundle", dir)
	var spec specs.Spec
	must(t, json.Unmarshal([]byte(readFile(t, filepath.Join(dir, "config.json"))), &spec))
	if len(spec.Linux.UIDMappings) != 1 || !slices.ContainsFunc(spec.Linux.Namespaces, func(n specs.LinuxNamespace) bool { return n.Type == specs.UserNamespace }) {
		t.Errorf("rootless config lacks a user namespace: %+v", spec.Linux)
	}
}

func TestFeatures(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	var f features.Features
	decode(t, r.Must("features").Stdout, &f)
	if f.OCIVersionMin == "" || f.OCIVersionMax == "" || f.Linux == nil || f.Linux.Seccomp == nil {
		t.Fatalf("features: %+v", f)
	}
	for _, hook := range []string{"prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"} {
		if !slices.Contains(f.Hooks, hook) {
			t.Errorf("hooks lack %s: %v", hook, f.Hooks)
		}
	}
	for _, option := range []string{"bind", "rbind", "ro", "nosuid", "rro", "rshared", "tmpcopyup"} {
		if !slices.Contains(f.MountOptions, option) {
			t.Errorf("mount options lack %s", option)
		}
	}
	for _, kind := range []string{"cgroup", "ipc", "mount", "network", "pid", "user", "uts"} {
		if !slices.Contains(f.Linux.Namespaces, kind) {
			t.Errorf("namespaces lack %s: %v", kind, f.Linux.Namespaces)
		}
	}
}

func TestVersionAndHelp(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	version := r.Must("--version").Stdout
	if !strings.Contains(version, " version ") || !strings.Contains(version, "spec: 1.") {
		t.Errorf("--version: %q", version)
	}
	help := r.Must("--help").Stdout
	for _, verb := range []string{"create", "start", "run", "state", "kill", "delete", "exec", "list", "ps", "spec", "features"} {
		if !strings.Contains(help, verb) {
			t.Errorf("--help lacks %s", verb)
		}
		if r.Do(verb, "--help").Exited(0).Stdout == "" {
			t.Errorf("%s --help prints nothing", verb)
		}
	}
}

func TestPlanPrintsAndRunsNothing(t *testing.T) {
	onlyDhow(t, "the peers have no plan")
	t.Parallel()
	r := newCLI(t)
	out := t.TempDir()
	b := newBundle(t, Shell("touch /out/ran"), Bind(out, "/out"))
	table := r.Must("plan", b.Dir).Stdout
	for _, word := range []string{"execve", "pivot_root", "mounts[6]", "/out"} {
		if !strings.Contains(table, word) {
			t.Errorf("plan lacks %q:\n%s", word, clip(table))
		}
	}
	if !json.Valid([]byte(r.Must("plan", "--format", "json", b.Dir).Stdout)) {
		t.Error("plan --format json is no JSON")
	}
	if exists(filepath.Join(out, "ran")) || exists(r.Root) {
		t.Error("plan ran the container or left a state directory")
	}
}
