package integration

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

func memoryLimit(bytes int64) Edit {
	return Resources(func(r *specs.LinuxResources) { r.Memory = &specs.LinuxMemory{Limit: &bytes} })
}

func pidsLimit(n int64) Edit {
	return Resources(func(r *specs.LinuxResources) { r.Pids = &specs.LinuxPids{Limit: &n} })
}

// groupFile reads a file of the container's group in one v1 hierarchy.
func groupFile(t *testing.T, pid int, controller, file string) string {
	t.Helper()
	for _, line := range lines(readFile(t, "/proc/"+itoa(pid)+"/cgroup")) {
		parts := strings.SplitN(line, ":", 3)
		if parts[1] == controller {
			return readFile(t, filepath.Join("/sys/fs/cgroup", controller, parts[2], file))
		}
	}
	t.Fatalf("pid %d is in no %s group", pid, controller)
	return ""
}

func needV1(t *testing.T, controller string) {
	t.Helper()
	needRoot(t)
	if !exists("/sys/fs/cgroup/" + controller + "/cgroup.procs") {
		skip(t, "needs the v1 controller "+controller)
	}
}

func TestMemoryLimitKillsAHog(t *testing.T) {
	needV1(t, "memory")
	t.Parallel()
	r := newCLI(t)
	r.Run(newBundle(t, probe("hog", "16"), memoryLimit(64<<20))).Exited(0).Printed("touched 16 MiB")
	r.Run(newBundle(t, probe("hog", "128"), memoryLimit(64<<20))).Exited(137)
}

func TestMemoryFiles(t *testing.T) {
	needV1(t, "memory")
	t.Parallel()
	limit, reservation, swap := int64(64<<20), int64(32<<20), int64(96<<20)
	swappiness := uint64(10)
	r, id := sleeper(t, Resources(func(r *specs.LinuxResources) {
		r.Memory = &specs.LinuxMemory{Limit: &limit, Reservation: &reservation, Swap: &swap, Swappiness: &swappiness}
	}))
	pid := r.State(id).Pid
	for file, want := range map[string]int64{
		"memory.limit_in_bytes": limit, "memory.soft_limit_in_bytes": reservation, "memory.memsw.limit_in_bytes": swap, "memory.swappiness": 10,
	} {
		if got := groupFile(t, pid, "memory", file); got != itoa(int(want)) {
			t.Errorf("%s: %s, want %d", file, got, want)
		}
	}
}

func TestPidsLimit(t *testing.T) {
	needV1(t, "pids")
	t.Parallel()
	r := newCLI(t)
	res := r.Run(newBundle(t, Shell("for i in 1 2 3 4 5 6 7 8; do sleep 100 & done; echo all"), pidsLimit(5)))
	if strings.Contains(res.Stdout, "all") || !strings.Contains(res.Stderr, "can't fork") {
		t.Errorf("exit %d, stdout %q, stderr %q", res.Code, res.Stdout, res.Stderr)
	}
	r, id := sleeper(t, pidsLimit(77))
	if got := groupFile(t, r.State(id).Pid, "pids", "pids.max"); got != "77" {
		t.Errorf("pids.max: %s", got)
	}
}

// A limit of one process is enough for a container whose first process clones a second one while it is made.
func TestPidsLimitOfOne(t *testing.T) {
	needV1(t, "pids")
	t.Parallel()
	for _, n := range []int64{0, 1} { // 0 means 1
		r, id := sleeper(t, MappedUser, pidsLimit(n))
		if got := groupFile(t, r.State(id).Pid, "pids", "pids.max"); got != "1" {
			t.Errorf("pids.max of %d: %s", n, got)
		}
	}
}

func TestCPUFiles(t *testing.T) {
	needV1(t, "cpu")
	t.Parallel()
	shares, quota, period := uint64(512), int64(25000), uint64(50000)
	r, id := sleeper(t, Resources(func(r *specs.LinuxResources) {
		r.CPU = &specs.LinuxCPU{Shares: &shares, Quota: &quota, Period: &period, Cpus: "0", Mems: "0"}
	}))
	pid := r.State(id).Pid
	for file, want := range map[string]string{"cpu.shares": "512", "cpu.cfs_quota_us": "25000", "cpu.cfs_period_us": "50000"} {
		if got := groupFile(t, pid, "cpu", file); got != want {
			t.Errorf("%s: %s, want %s", file, got, want)
		}
	}
	if got := groupFile(t, pid, "cpuset", "cpuset.cpus"); got != "0" {
		t.Errorf("cpuset.cpus: %s", got)
	}
}

// The limits hold for a process that exec brings in.
func TestExecIsUnderTheLimits(t *testing.T) {
	needV1(t, "memory")
	t.Parallel()
	r, id := sleeper(t, memoryLimit(64<<20))
	r.Do("exec", id, "/probe", "hog", "128").Exited(137)
}

func TestCgroupsPath(t *testing.T) {
	needV1(t, "pids")
	t.Parallel()
	r := newCLI(t)
	id := r.ID()
	parent := id + "-parent" // has the id in its name, so that checkGone finds it
	t.Cleanup(func() {
		for _, dir := range cgroupsOf(parent) {
			_ = os.Remove(strings.TrimPrefix(dir, "cgroup ")) // a runtime may take empty parents away, or leave them
		}
	})
	b := newBundle(t, Args("sleep", "1000"), Linux(func(l *specs.Linux) { l.CgroupsPath = "/" + parent + "/child" }), pidsLimit(50))
	r.Detached("create", "--bundle", b.Dir, id).Exited(0)
	if got := readFile(t, "/sys/fs/cgroup/pids/"+parent+"/child/pids.max"); got != "50" {
		t.Errorf("pids.max: %s", got)
	}
	r.Must("delete", "--force", id)
	for _, dir := range cgroupsOf("child") {
		if strings.Contains(dir, parent) {
			t.Errorf("left behind: %s", dir)
		}
	}
	for _, dir := range cgroupsOf(parent) {
		must(t, os.Remove(strings.TrimPrefix(dir, "cgroup ")))
	}
}

// What containerd's library reads must be what the config asked for.
func TestLimitsAsContainerdReadsThem(t *testing.T) {
	needV1(t, "memory")
	t.Parallel()
	tool := filepath.Join(t.TempDir(), "cgroup1stat")
	must(t, BuildStatic(tool, "./integration/cgroup1stat"))
	r, id := sleeper(t, memoryLimit(48<<20), pidsLimit(33))
	out, err := exec.Command(tool, itoa(r.State(id).Pid)).Output()
	must(t, err)
	var got map[string]int64
	decode(t, string(out), &got)
	if got["memory"] != 48<<20 || got["pids"] != 33 {
		t.Errorf("containerd reads %v", got)
	}
}

func TestEveryHierarchyHasTheContainer(t *testing.T) {
	needV1(t, "memory")
	t.Parallel()
	r, id := sleeper(t)
	for _, line := range lines(readFile(t, "/proc/"+itoa(r.State(id).Pid)+"/cgroup")) {
		if !strings.Contains(line, id) && !strings.Contains(line, "misc") {
			t.Errorf("not in a group of its own: %s", line)
		}
	}
}
