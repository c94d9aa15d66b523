package integration

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// v2group makes a group directly below the root, and removes it at the end with what is below it.
func v2group(t *testing.T, name string) string {
	t.Helper()
	dir := filepath.Join("/sys/fs/cgroup", name)
	must(t, os.Mkdir(dir, 0o755))
	t.Cleanup(func() {
		for _, found := range append(cgroupsOf(name+"-"), "cgroup "+dir) {
			if err := unix.Rmdir(strings.TrimPrefix(found, "cgroup ")); err != nil && !errors.Is(err, unix.ENOENT) {
				t.Errorf("cannot remove %s: %v", found, err)
			}
		}
	})
	return dir
}

// cgroups(7), "Thread mode": below a threaded group there are no processes, only threads.
func TestVMBelowAThreadedGroup(t *testing.T) {
	needV2(t, "pids")
	onlyDhow(t, "1.1 says only that writing cgroup.procs is not supported")
	t.Parallel()
	r := newCLI(t)
	id := r.ID()
	dir := v2group(t, id+"-threaded")
	must(t, os.Mkdir(dir+"/"+id+"-threaded-a", 0o755))
	must(t, os.WriteFile(dir+"/"+id+"-threaded-a/cgroup.type", []byte("threaded"), 0o644))
	b := newBundle(t, cgroupsPath("/"+id+"-threaded/"+id+"-threaded-a/"+id+"-threaded-b"))
	r.Detached("create", "--bundle", b.Dir, id).Failed("thread mode").Exited(1)
	if exists(dir + "/" + id + "-threaded-a/" + id + "-threaded-b") {
		t.Error("the group is left behind")
	}
}

// cgroups(7), "no internal processes": a group that holds processes hands on no controller.
func TestVMBelowAGroupWithProcesses(t *testing.T) {
	needV2(t, "memory")
	t.Parallel()
	r := newCLI(t)
	inner, id := r.ID(), r.ID()
	host := r.Command("run", "--bundle", newBundle(t, cgroupsPath("/"+inner), Args("sleep", "1000")).Dir, inner)
	must(t, host.Start())
	t.Cleanup(func() { _ = host.Wait() }) // after the container was deleted
	await(t, "the first container", func() bool { return r.Do("state", inner).Code == 0 && r.State(inner).Status == "running" })
	b := newBundle(t, cgroupsPath("/"+inner+"/"+id), noSwap(64))
	res := r.Detached("create", "--bundle", b.Dir, id).Failed()
	if underTest.kind == Dhow && !strings.Contains(res.Stderr, inner) {
		t.Errorf("it does not name the group: %s", res.Stderr)
	}
	if exists("/sys/fs/cgroup/" + inner + "/" + id) {
		t.Error("the group is left behind")
	}
	// Without limits it needs no controller, and those for statistics are left alone.
	b = newBundle(t, cgroupsPath("/"+inner+"/"+id), Shell("exit 5"))
	r.Do("run", "--bundle", b.Dir, id).Exited(5)
	wantV2(t, "/sys/fs/cgroup/"+inner, map[string]string{"cgroup.type": "domain", "cgroup.subtree_control": ""})
	r.Must("delete", "--force", inner)
}

// All groups on the way get the controllers that the container needs.
func TestVMDeepGroup(t *testing.T) {
	needV2(t, "memory", "pids", "cpu")
	t.Parallel()
	r := newCLI(t)
	id := r.ID()
	v2group(t, id+"-deep")
	b := newBundle(t, cgroupsPath("/"+id+"-deep/"+id+"-deep-b/"+id+"-deep-c/leaf"), noSwap(64), pidsLimit(20), Args("sleep", "1000"))
	r.Detached("create", "--bundle", b.Dir, id).Exited(0)
	wantV2(t, v2dir(t, r, id), map[string]string{"memory.max": "67108864", "pids.max": "20"})
	r.Must("delete", "--force", id)
	if exists("/sys/fs/cgroup/" + id + "-deep/" + id + "-deep-b/" + id + "-deep-c/leaf") {
		t.Error("the group is left behind")
	}
}

func writableCgroups(b *Bundle) {
	Namespace(specs.CgroupNamespace, "")(b)
	Mount("cgroup", "cgroup", "/sys/fs/cgroup", "nosuid", "noexec", "nodev")(b)
}

// nestingScript is what an init such as systemd does with its own group: it leaves it for one below and
// hands on a controller.
const nestingScript = `set -e; cd /sys/fs/cgroup; mkdir init work; echo $$ > init/cgroup.procs; echo +pids > cgroup.subtree_control; echo ready`

// nested is a container whose own group holds no processes, and could not.
func nested(t *testing.T, edits ...Edit) (*cli, string) {
	t.Helper()
	r := newCLI(t)
	out := t.TempDir()
	b := newBundle(t, append([]Edit{writableCgroups, pidsLimit(100), Bind(out, "/out"), Shell("exec > /out/log 2>&1; " + nestingScript + "; exec sleep 1000")}, edits...)...)
	id := r.Started(b)
	log := func() string {
		data, _ := os.ReadFile(filepath.Join(out, "log")) // not there yet: nothing
		return strings.TrimSpace(string(data))
	}
	await(t, "the nested groups", func() bool { return log() == "ready" || r.State(id).Status != "running" })
	if log() != "ready" {
		t.Fatalf("the container failed: %s", log())
	}
	return r, id
}

// exec goes where init is, since the container's own group takes no processes any more.
func TestVMExecIntoANestedContainer(t *testing.T) {
	needV2(t, "pids")
	t.Parallel()
	r, id := nested(t)
	r.Must("exec", id, "cat", "/proc/self/cgroup").Printed("0::/init")
	if underTest.kind == Dhow {
		r.Must("exec", "--cgroup", "work", id, "cat", "/proc/self/cgroup").Printed("0::/work")
		r.Do("exec", "--cgroup", "/", id, "true").Failed("cgroup", "busy")
	}
	if got := len(r.processes(id)); got != 1 {
		t.Errorf("%d processes", got)
	}
}

func TestVMNestedContainerStandsStillAndEnds(t *testing.T) {
	needV2(t, "pids")
	t.Parallel()
	r, id := nested(t)
	own := filepath.Dir(v2dir(t, r, id))
	r.Must("pause", id)
	wantV2(t, own, map[string]string{"cgroup.freeze": "1"})
	r.Must("resume", id)
	r.Must("update", "--pids-limit", "30", id)
	wantV2(t, own, map[string]string{"pids.max": "30"})
	r.Must("kill", "--all", id, "KILL")
	r.AwaitStatus(id, "stopped")
	r.Must("delete", id)
	if exists(own) {
		t.Error("the groups are left behind")
	}
}

// With nsdelegate (cgroups(7)) the limits of the namespace's root are the host's business.
func TestVMLimitsAreOutOfTheContainersReach(t *testing.T) {
	needV2(t, "memory")
	mount := ""
	for _, line := range lines(readFile(t, "/proc/self/mounts")) {
		if fields := strings.Fields(line); fields[1] == "/sys/fs/cgroup" {
			mount = fields[3]
		}
	}
	if !strings.Contains(mount, "nsdelegate") {
		skip(t, "needs cgroup2 mounted with nsdelegate")
	}
	t.Parallel()
	r := newCLI(t)
	b := newBundle(t, noSwap(64), writableCgroups, Shell("echo max > /sys/fs/cgroup/memory.max; cat /sys/fs/cgroup/memory.max; mkdir /sys/fs/cgroup/own && echo made"))
	res := r.Run(b).Exited(0).Printed("67108864\nmade")
	if !strings.Contains(res.Stderr, "not permitted") {
		t.Errorf("stderr %q", res.Stderr)
	}
}

func TestVMExecSubgroup(t *testing.T) {
	needV2(t, "pids")
	onlyDhow(t, "1.1 has other rules for several flags")
	t.Parallel()
	r, id := sleeper(t)
	dir := v2dir(t, r, id)
	must(t, os.Mkdir(dir+"/sub", 0o755))
	r.Must("exec", "--cgroup", "sub", id, "grep", "-c", "/"+id+"/sub$", "/proc/self/cgroup").Printed("1")
	r.Do("exec", "--cgroup", "absent", id, "true").Failed("absent")
	r.Do("exec", "--cgroup", "memory:sub", id, "true").Failed("memory")
}

// Without a limit the kernel counts nevertheless what a container uses.
func TestVMStatisticsWithoutLimits(t *testing.T) {
	needV2(t, "memory", "pids", "cpu", "io")
	t.Parallel()
	r, id := sleeper(t)
	dir := v2dir(t, r, id)
	if n := v2number(t, dir, "memory.current"); n <= 0 {
		t.Errorf("memory.current: %d", n)
	}
	wantV2(t, dir, map[string]string{"pids.current": "1", "memory.max": "max", "pids.max": "max"})
	if !exists(dir+"/io.stat") || !exists(dir+"/cpu.max") {
		t.Error("io or cpu is not counted")
	}
}
