package integration

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// unified tells a test to run its body here, under a pure cgroup2 mount. In any other stage it runs the
// same test again in that one, takes over the verdict, and tells it not to.
func unified(t *testing.T) bool {
	t.Helper()
	needRoot(t)
	if CurrentStage() == Unified || unifiedHost() {
		return true // mounting cgroup2 again would also take nsdelegate away from the host
	}
	cmd := exec.Command("/proc/self/exe", "-test.run=^"+t.Name()+"$", "-test.v", "-test.count=1")
	cmd.Env = append(os.Environ(), "RUNTIME="+underTest.runtime, "DHOW_TEST_PROBE="+underTest.probe)
	runtime.LockOSThread() // it dies with this thread
	defer runtime.UnlockOSThread()
	out, err := InStage(cmd, Unified).CombinedOutput()
	if err != nil {
		t.Errorf("under a pure cgroup2 mount: %v\n%s", err, out)
	}
	_, reason, found := strings.Cut(string(out), "\n  "+t.Name()+": ")
	if found {
		reason, _, _ = strings.Cut(reason, "\n")
		skip(t, reason)
	}
	return false
}

func TestUnifiedLifecycle(t *testing.T) {
	if !unified(t) {
		return
	}
	r := newCLI(t)
	id := r.Create(newBundle(t, Args("sleep", "1000")))
	pid := r.State(id).Pid
	group := groupOf(t, pid)
	if !strings.Contains(group, id) {
		t.Errorf("init is in group %s", group)
	}
	r.Must("start", id)
	r.Do("exec", id, "sh", "-c", "exit 3").Exited(3)
	r.Must("kill", id, "KILL")
	r.AwaitStatus(id, "stopped")
	r.Must("delete", id)
	if exists("/sys/fs/cgroup" + group) {
		t.Errorf("group left behind: %s", group)
	}
}

func groupOf(t *testing.T, pid int) string {
	t.Helper()
	for _, line := range lines(readFile(t, "/proc/"+itoa(pid)+"/cgroup")) {
		if path, ok := strings.CutPrefix(line, "0::"); ok {
			return path
		}
	}
	t.Fatalf("pid %d is in no v2 group", pid)
	return ""
}

func TestUnifiedRun(t *testing.T) {
	if !unified(t) {
		return
	}
	newCLI(t).Run(newBundle(t, Shell("exit 7"))).Exited(7)
}

func TestUnifiedKillAll(t *testing.T) {
	if !unified(t) {
		return
	}
	onlyDhow(t, "1.1 kills the processes but leaves their group behind")
	r := newCLI(t)
	id := r.Started(newBundle(t, Shell("sleep 1000 & sleep 1000 & wait"), NoNamespace(specs.PIDNamespace)))
	await(t, "three processes", func() bool { return len(r.processes(id)) == 3 })
	pids := r.processes(id)
	r.Must("delete", "--force", id)
	for _, pid := range pids {
		await(t, "the processes to end", func() bool { return ended(pid) })
	}
}

func TestUnifiedDeviceRules(t *testing.T) {
	if unified(t) {
		testDeviceRules(t)
	}
}

func TestUnifiedCgroupNamespaceAndMount(t *testing.T) {
	if !unified(t) {
		return
	}
	r := newCLI(t)
	b := newBundle(t, probe("dump"), Namespace(specs.CgroupNamespace, ""),
		Mount("cgroup", "cgroup", "/sys/fs/cgroup", "nosuid", "noexec", "nodev", "ro"))
	f := r.Run(b).Facts()
	if m := f.MountAt("/sys/fs/cgroup"); m == nil || m.Type != "cgroup2" || m.Root != "/" {
		t.Errorf("/sys/fs/cgroup: %+v", m)
	}
	if !strings.Contains(f.Cgroup, "0::/") || strings.Contains(f.Cgroup, "dhowtest") {
		t.Errorf("own group: %q", f.Cgroup)
	}
}

// A limit for which the host has no controller is an error, and only then.
func TestUnifiedLimitWithoutItsController(t *testing.T) {
	if !unified(t) {
		return
	}
	needV2Lacks(t, "memory")
	r := newCLI(t)
	r.Detached("create", "--bundle", newBundle(t, memoryLimit(64<<20)).Dir, r.ID()).Failed("memory").Exited(1)
}

func needV2Lacks(t *testing.T, controller string) {
	t.Helper()
	if strings.Contains(readFile(t, "/sys/fs/cgroup/cgroup.controllers"), controller) {
		skip(t, "the host has the v2 controller "+controller)
	}
}

// The raw keys of linux.resources.unified.
func TestUnifiedRawKeys(t *testing.T) {
	if !unified(t) {
		return
	}
	r, id := sleeper(t, Resources(func(r *specs.LinuxResources) {
		r.Unified = map[string]string{"cgroup.max.descendants": "7"}
	}))
	if got := readFile(t, filepath.Join("/sys/fs/cgroup", groupOf(t, r.State(id).Pid), "cgroup.max.descendants")); got != "7" {
		t.Errorf("cgroup.max.descendants: %s", got)
	}
}
