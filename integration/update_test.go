package integration

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// wantFiles reads files of the container's v1 groups, each CONTROLLER/FILE.
func wantFiles(t *testing.T, pid int, want map[string]string) {
	t.Helper()
	for path, value := range want {
		controller, file, _ := strings.Cut(path, "/")
		if got := groupFile(t, pid, controller, file); got != value {
			t.Errorf("%s: %s, want %s", path, got, value)
		}
	}
}

func memoryAndSwap(limit, swap int64) Edit {
	return Resources(func(r *specs.LinuxResources) { r.Memory = &specs.LinuxMemory{Limit: &limit, Swap: &swap} })
}

func TestUpdateFlags(t *testing.T) {
	needV1(t, "memory")
	t.Parallel()
	r, id := sleeper(t, memoryAndSwap(64<<20, 64<<20), pidsLimit(50))
	pid := r.State(id).Pid
	r.Must("update", "--pids-limit", "77", id)
	wantFiles(t, pid, map[string]string{"pids/pids.max": "77", "memory/memory.limit_in_bytes": "67108864"})
	// Up and down again: which of the two the kernel takes first depends on the direction.
	for _, mib := range []string{"256", "32"} {
		r.Must("update", "--memory", mib+"m", "--memory-swap", mib+"MiB", "--memory-reservation", "16m", id)
		bytes := map[string]string{"256": "268435456", "32": "33554432"}[mib]
		wantFiles(t, pid, map[string]string{"memory/memory.limit_in_bytes": bytes, "memory/memory.memsw.limit_in_bytes": bytes, "memory/memory.soft_limit_in_bytes": "16777216"})
	}
	r.Must("update", "--memory", "-1", "--memory-swap", "-1", "--pids-limit", "-1", id)
	wantFiles(t, pid, map[string]string{"pids/pids.max": "max", "memory/memory.limit_in_bytes": "9223372036854771712"})
	r.Must("update", "--cpu-share", "512", "--cpu-quota", "25000", "--cpu-period", "50000", "--cpuset-cpus", "0", "--cpuset-mems", "0", id)
	r.Must("update", "--cpu-quota", "20000", id)
	wantFiles(t, pid, map[string]string{"cpu/cpu.shares": "512", "cpu/cpu.cfs_quota_us": "20000", "cpu/cpu.cfs_period_us": "50000", "cpuset/cpuset.cpus": "0"})
}

func TestUpdateResourcesObject(t *testing.T) {
	needV1(t, "pids")
	t.Parallel()
	r, id := sleeper(t)
	pid := r.State(id).Pid
	file := filepath.Join(t.TempDir(), "resources.json")
	must(t, os.WriteFile(file, []byte(`{"memory":{"limit":67108864,"swap":0},"cpu":{"shares":0,"cpus":""},"pids":{"limit":41}}`), 0o644))
	r.Must("update", "--resources", file, id)
	wantFiles(t, pid, map[string]string{"pids/pids.max": "41", "memory/memory.limit_in_bytes": "67108864"})
	cmd := r.Command("update", "--resources", "-", id)
	cmd.Stdin = strings.NewReader(`{"pids":{"limit":43}}`)
	r.DoCommand(cmd).Exited(0)
	wantFiles(t, pid, map[string]string{"pids/pids.max": "43", "memory/memory.limit_in_bytes": "67108864"})
	for _, bad := range []string{"", "{", `{"pids":{"limit":"x"}}`, `{"memory":{"limit":1.5}}`} {
		must(t, os.WriteFile(file, []byte(bad), 0o644))
		r.Do("update", "--resources", file, id).Failed().Exited(1)
	}
}

// containerd sends all of linux.resources, whatever has changed.
func TestUpdateOfEverything(t *testing.T) {
	needV1(t, "devices")
	t.Parallel()
	r := newCLI(t)
	b := newBundle(t, Args("sleep", "1000"), memoryAndSwap(64<<20, 96<<20), pidsLimit(50))
	id := r.Started(b)
	pid := r.State(id).Pid
	devices := groupFile(t, pid, "devices", "devices.list")
	pidsLimit(51)(b)
	text, err := json.Marshal(b.Spec.Linux.Resources)
	must(t, err)
	cmd := r.Command("update", "--resources", "-", id)
	cmd.Stdin = strings.NewReader(string(text))
	r.DoCommand(cmd).Exited(0)
	wantFiles(t, pid, map[string]string{"pids/pids.max": "51", "devices/devices.list": devices, "memory/memory.limit_in_bytes": "67108864"})
}

// A second update starts from what the first has set, not from config.json.
func TestUpdateStartsFromTheLastOne(t *testing.T) {
	needV1(t, "memory")
	t.Parallel()
	r, id := sleeper(t, memoryAndSwap(64<<20, 96<<20))
	pid := r.State(id).Pid
	r.Must("update", "--memory", "32m", "--memory-swap", "128m", id)
	r.Must("update", "--memory", "100m", id)
	wantFiles(t, pid, map[string]string{"memory/memory.limit_in_bytes": "104857600", "memory/memory.memsw.limit_in_bytes": "134217728"})
	r.Do("update", "--memory-swap", "99m", id).Failed("memory").Exited(1)
	r.Must("update", "--memory-swap", "101m", id)
	r.Do("update", "--memory", "102m", id).Failed("memory").Exited(1)
	r.Must("update", "--memory", "-1", id)
	wantFiles(t, pid, map[string]string{"memory/memory.limit_in_bytes": "9223372036854771712", "memory/memory.memsw.limit_in_bytes": "9223372036854771712"})
}

// Bad values leave the old limits, also those that the kernel has taken before it refused another.
func TestUpdateOfBadValues(t *testing.T) {
	needV1(t, "memory")
	t.Parallel()
	r, id := sleeper(t, memoryAndSwap(64<<20, 64<<20), pidsLimit(50))
	pid := r.State(id).Pid
	for _, line := range []string{
		"--pids-limit 60 --memory 4x", "--pids-limit 60 --cpu-quota x", "--pids-limit 60 --cpu-share -1", "--pids-limit x",
		"--pids-limit 60 --cpuset-cpus 4095", "--pids-limit 60 --memory 128m --memory-swap 32m", "--pids-limit 60 --nosuch 5",
	} {
		r.Do(append(append([]string{"update"}, strings.Fields(line)...), id)...).Failed().Exited(1)
		wantFiles(t, pid, map[string]string{"pids/pids.max": "50", "memory/memory.limit_in_bytes": "67108864", "memory/memory.memsw.limit_in_bytes": "67108864"})
	}
}

// What the container uses is more than the limit: version 1 refuses that, when other limits are set already.
func TestUpdateBelowTheUsage(t *testing.T) {
	needV1(t, "memory")
	onlyDhow(t, "limits without an old value stay changed")
	t.Parallel()
	r, id := sleeper(t)
	pid := r.State(id).Pid
	r.Do("update", "--cpu-share", "512", "--cpuset-cpus", "0", "--pids-limit", "60", "--memory", "4096", "--memory-swap", "4096", id).Failed("memory").Exited(1)
	wantFiles(t, pid, map[string]string{"pids/pids.max": "max", "cpu/cpu.shares": "1024", "memory/memory.limit_in_bytes": "9223372036854771712"})
	wantFiles(t, pid, map[string]string{"cpuset/cpuset.cpus": readFile(t, "/sys/fs/cgroup/cpuset/cpuset.cpus")})
	if exists(filepath.Join(r.Root, id, "resources")) {
		t.Error("the refused limits are in the record")
	}
}

func TestUpdateByStatus(t *testing.T) {
	needV1(t, "pids")
	t.Parallel()
	r := newCLI(t)
	r.Do("update", "--pids-limit", "5", "dhowtest-absent").Failed("does not exist").Exited(1)
	id := r.Create(newBundle(t, Args("sleep", "1000")))
	pid := r.State(id).Pid
	r.Must("update", "--pids-limit", "51", id)
	wantFiles(t, pid, map[string]string{"pids/pids.max": "51"})
	r.Must("start", id)
	r.Must("pause", id)
	r.Must("update", "--pids-limit", "52", id)
	wantFiles(t, pid, map[string]string{"pids/pids.max": "52"})
	r.Must("resume", id)
	r.Must("kill", id, "KILL")
	r.AwaitStatus(id, "stopped")
	r.Do("update", "--pids-limit", "53", id).Failed("not running").Exited(1)
}

func TestUnifiedUpdate(t *testing.T) {
	if !unified(t) {
		return
	}
	r, id := sleeper(t)
	cmd := r.Command("update", "--resources", "-", id)
	cmd.Stdin = strings.NewReader(`{"unified":{"cgroup.max.descendants":"9"}}`)
	r.DoCommand(cmd).Exited(0)
	if got := readFile(t, filepath.Join("/sys/fs/cgroup", groupOf(t, r.State(id).Pid), "cgroup.max.descendants")); got != "9" {
		t.Errorf("cgroup.max.descendants: %s", got)
	}
}

// Flags that have no effect any more are still taken.
func TestUpdateKernelMemory(t *testing.T) {
	t.Parallel()
	r, id := sleeper(t)
	r.Must("update", "--kernel-memory", "50M", id)
	tcp := r.Do("update", "--kernel-memory-tcp", "50M", id)
	if underTest.kind == Dhow && unifiedHost() { // version 1 only; runc says that it ignores it
		tcp.Failed("linux.resources.memory.kernelTCP")
	} else {
		tcp.Exited(0)
	}
	if underTest.kind == Dhow {
		log := filepath.Join(t.TempDir(), "log")
		r.DoCommand(r.Command("--log", log, "update", "--kernel-memory", "50M", id)).Exited(0)
		if text := readFile(t, log); !strings.Contains(text, "kernel memory") {
			t.Errorf("the log does not mention it: %q", text)
		}
	}
}

// A limit that no kernel has is said to be ignored, once.
func TestUpdateOfKernelMemory(t *testing.T) {
	onlyDhow(t, "the words are dhow's")
	t.Parallel()
	r, id := sleeper(t)
	if res := r.Must("update", "--kernel-memory", "1m", id); strings.Count(res.Stderr, "kernel memory") != 1 {
		t.Errorf("the warnings: %s", res.Stderr)
	}
}
