package integration

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// Without permission for any control group a container goes without, unless the config asks for one.
func TestRootlessWithoutCgroup(t *testing.T) {
	r := newUserCLI(t)
	id := r.Started(newBundle(t, Rootless, Shell("sleep 1000 & sleep 1000 & wait")))
	pid := r.State(id).Pid
	for _, line := range lines(readFile(t, fmt.Sprintf("/proc/%d/cgroup", pid))) {
		if strings.Contains(line, id) {
			t.Errorf("it is in %s", line)
		}
	}
	if underTest.kind == Dhow {
		await(t, "three processes", func() bool { return len(r.processes(id)) == 3 })
	}
	r.Do("pause", id).Failed()
	r.Do("update", "--memory", "64000000", id).Failed()
	if underTest.kind == Dhow {
		r.Do("pause", id).Failed("cannot pause", id, "no control group")
		r.Do("update", "--memory", "64000000", id).Failed("cannot update", id, "no control group")
		r.Must("kill", "--all", id, "CONT")
	}
	if out := r.Must("events", "--stats", id).Stdout; !strings.HasPrefix(out, `{"type":"stats"`) {
		t.Errorf("events --stats: %s", out)
	}
	r.Must("kill", "--all", id, "KILL")
	r.AwaitStatus(id, "stopped")
	r.Must("delete", id)
}

// delete --force ends every process of a container without a group: its first, and so the rest.
func TestRootlessDeleteForce(t *testing.T) {
	r := newUserCLI(t)
	id := r.Started(newBundle(t, Rootless, Shell("trap '' TERM; sleep 1000 & sleep 1000 & wait")))
	r.Detached("exec", "--detach", id, "sleep", "1000").Exited(0)
	pids := descendants(r.State(id).Pid)
	r.Must("delete", "--force", id)
	for _, pid := range pids {
		await(t, "the processes to end", func() bool { return ended(pid) })
	}
}

// descendants are a process and its children, as the host numbers them.
func descendants(pid int) []int {
	list := []int{pid}
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	for word := range strings.FieldsSeq(string(text)) {
		var child int
		if _, err := fmt.Sscan(word, &child); err == nil {
			list = append(list, child)
		}
	}
	return list
}

// A limit, or a place for the group, that cannot be had is an error, which names it.
func TestRootlessLimitsWithoutPermission(t *testing.T) {
	r := newUserCLI(t)
	limit := int64(100)
	pids := func(b *Bundle) {
		b.Spec.Linux.Resources = &specs.LinuxResources{Pids: &specs.LinuxPids{Limit: &limit}}
	}
	create := func(edits ...Edit) *result {
		b := newBundle(t, append([]Edit{Rootless}, edits...)...)
		return r.Detached("create", "--bundle", b.Dir, r.ID())
	}
	create(pids).Failed("pids").Exited(1)
	create(Linux(func(l *specs.Linux) { l.CgroupsPath = "/dhowtest/x" })).Failed("permission denied").Exited(1)
	if underTest.kind != Dhow {
		return
	}
	create(pids).Failed("linux.resources.pids.limit", "rootless needs no limits + no cgrouppath when no permission is granted for cgroups")
	create(Linux(func(l *specs.Linux) { l.CgroupsPath = "/dhowtest/x" })).Failed("linux.cgroupsPath")
	b := newBundle(t, Rootless)
	r.Do("--rootless", "false", "run", "--bundle", b.Dir, r.ID()).Failed("permission denied", "cgroup")
	create(Linux(func(l *specs.Linux) { // rules that the kernel lets no user set, and that no user needs
		l.Resources = &specs.LinuxResources{Devices: []specs.LinuxDeviceCgroup{{Access: "rwm"}}}
	})).Exited(0)
	if left := containersIn(r.Root); len(left) != 1 {
		t.Errorf("left behind: %v", left)
	}
}

// delegated makes a version 2 group that belongs to the user, and has the runtime called in a group inside it.
func delegated(t *testing.T, r *cli) (dir string) {
	t.Helper()
	root := "/sys/fs/cgroup"
	if CurrentStage() == Hybrid {
		root += "/unified"
	}
	if !exists(root + "/cgroup.procs") {
		skip(t, "no cgroup v2 tree at "+root)
	}
	dir = filepath.Join(root, fmt.Sprintf("dhowtestdelegated%d", os.Getpid()))
	shell := filepath.Join(dir, "shell")
	for _, d := range []string{dir, shell} {
		must(t, os.Mkdir(d, 0o755))
		for _, name := range []string{"", "cgroup.procs", "cgroup.threads", "cgroup.subtree_control"} {
			must(t, os.Lchown(filepath.Join(d, name), userID, userID))
		}
	}
	f, err := os.Open(shell)
	must(t, err)
	r.Cgroup = f
	t.Cleanup(func() {
		f.Close()
		for _, d := range []string{shell, dir} {
			await(t, d+" to be removed", func() bool { return unix.Rmdir(d) == nil })
		}
	})
	return dir
}

func testDelegated(t *testing.T) {
	r := newUserCLI(t)
	dir := delegated(t, r)
	id := r.Started(newBundle(t, Rootless, Shell("sleep 1000 & sleep 1000 & wait")))
	group := groupOf(t, r.State(id).Pid)
	if want := filepath.Join(filepath.Base(dir), id); strings.TrimPrefix(group, "/") != want {
		t.Errorf("init is in group %s, want %s", group, want)
	}
	await(t, "three processes", func() bool { return len(r.processes(id)) == 3 })
	r.Must("pause", id)
	if got := r.State(id).Status; got != "paused" {
		t.Errorf("it is %s", got)
	}
	r.Must("resume", id)
	r.Detached("exec", "--detach", id, "sleep", "1000").Exited(0)
	if pids := r.processes(id); len(pids) != 4 {
		t.Errorf("an exec is not in the group: %v", pids)
	}
	r.Must("delete", "--force", id)
	if exists(filepath.Join(dir, id)) {
		t.Error("its group is left behind")
	}
}

// A user's own part of the version 2 tree is used: on a hybrid host beside hierarchies that are not writable.
func TestRootlessDelegated(t *testing.T) {
	onlyDhow(t, "only moves a user's container where all hierarchies are writable")
	testDelegated(t)
}

func TestUnifiedRootlessDelegated(t *testing.T) {
	if unified(t) {
		testDelegated(t)
	}
}

// Without a pid namespace of its own, the processes of a container can only be told by the group.
func TestUnifiedRootlessSharedPIDs(t *testing.T) {
	if !unified(t) {
		return
	}
	r := newUserCLI(t)
	delegated(t, r)
	id := r.Started(newBundle(t, Rootless, NoNamespace(specs.PIDNamespace), NoMount("/proc"), Bind("/proc", "/proc"), Linux(func(l *specs.Linux) {
		l.MaskedPaths, l.ReadonlyPaths = nil, nil
	}), Shell("sleep 1000 & sleep 1000 & wait")))
	await(t, "three processes", func() bool { return len(r.processes(id)) == 3 })
	pids := r.processes(id)
	r.Must("delete", "--force", id)
	for _, pid := range pids {
		await(t, "the processes to end", func() bool { return ended(pid) })
	}
}

// A user whose processes are outside of the part that is the user's cannot put any there: the container goes without.
func TestUnifiedRootlessOutsideOfItsPart(t *testing.T) {
	if !unified(t) {
		return
	}
	onlyDhow(t, "fails")
	r := newUserCLI(t)
	must(t, os.Mkdir("/sys/fs/cgroup/dhowtestopen", 0o755))
	t.Cleanup(func() {
		await(t, "the group to be removed", func() bool { return unix.Rmdir("/sys/fs/cgroup/dhowtestopen") == nil })
	})
	must(t, os.Chown("/sys/fs/cgroup/dhowtestopen", userID, userID))
	b := newBundle(t, Rootless, Args("sleep", "1000"), Linux(func(l *specs.Linux) { l.CgroupsPath = "dhowtestopen/x" }))
	r.Detached("create", "--bundle", b.Dir, r.ID()).Failed("denied")
	if left, _ := filepath.Glob("/sys/fs/cgroup/dhowtestopen/*/"); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// Where a group can be made and no process moved to it, because the file for that is not the user's, there is none left.
func TestUnifiedRootlessHalfDelegated(t *testing.T) {
	if !unified(t) {
		return
	}
	onlyDhow(t, "leaves the group behind")
	r := newUserCLI(t)
	dir := delegated(t, r)
	must(t, os.Chown(filepath.Join(dir, "cgroup.procs"), 0, 0))
	id := r.Started(newBundle(t, Rootless, Args("sleep", "1000"), Mount("cgroup", "cgroup", "/sys/fs/cgroup", "ro")))
	if group := groupOf(t, r.State(id).Pid); !strings.HasSuffix(group, "/shell") {
		t.Errorf("init is in group %s", group)
	}
	if exists(filepath.Join(dir, id)) {
		t.Error("the group that nothing can be moved to is left behind")
	}
	r.Must("exec", id, "true")
	r.Must("kill", "--all", id, "KILL")
	r.AwaitStatus(id, "stopped")
}
