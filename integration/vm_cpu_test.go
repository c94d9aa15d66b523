package integration

import (
	"runtime"
	"testing"
	"time"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

func cpuLimit(c specs.LinuxCPU) Edit {
	return Resources(func(r *specs.LinuxResources) { r.CPU = &c })
}

// spinner is a container that uses all the CPU time it gets.
func spinner(t *testing.T, c specs.LinuxCPU) (*cli, string) {
	t.Helper()
	r := newCLI(t)
	return r, r.Started(newBundle(t, Shell("while :; do :; done"), cpuLimit(c)))
}

func cpuTime(t *testing.T, dir string) time.Duration {
	t.Helper()
	return time.Duration(v2number(t, dir, "cpu.stat", "usage_usec")) * time.Microsecond
}

func TestVMCPUQuota(t *testing.T) {
	needV2(t, "cpu")
	r, id := spinner(t, specs.LinuxCPU{Quota: ptr(int64(10000)), Period: ptr(uint64(100000))})
	dir := v2dir(t, r, id)
	wantV2(t, dir, map[string]string{"cpu.max": "10000 100000"})
	await(t, "ten throttled periods", func() bool { return v2number(t, dir, "cpu.stat", "nr_throttled") >= 10 })
	start, used := time.Now(), cpuTime(t, dir)
	periods := v2number(t, dir, "cpu.stat", "nr_periods")
	await(t, "ten more periods", func() bool { return v2number(t, dir, "cpu.stat", "nr_periods") >= periods+10 })
	wall, cpu := time.Since(start), cpuTime(t, dir)-used
	if cpu > wall/5 { // half of that is the limit
		t.Errorf("with a tenth of a CPU it used %v of %v", cpu, wall)
	}
	// Lifted: it runs for more than ten times the quota in the time that it had for it.
	r.Must("update", "--cpu-quota", "-1", id)
	wantV2(t, dir, map[string]string{"cpu.max": "max 100000"})
	throttled := v2number(t, dir, "cpu.stat", "nr_throttled")
	used = cpuTime(t, dir)
	await(t, "a second of CPU time", func() bool { return cpuTime(t, dir)-used > time.Second })
	if now := v2number(t, dir, "cpu.stat", "nr_throttled"); now > throttled+1 {
		t.Errorf("still throttled: %d, then %d times", throttled, now)
	}
}

// Two containers that fight for one CPU get it in the proportion of their shares.
func TestVMCPUShares(t *testing.T) {
	needV2(t, "cpu", "cpuset")
	strong, a := spinner(t, specs.LinuxCPU{Shares: ptr(uint64(10240)), Cpus: "0"})
	weak, b := spinner(t, specs.LinuxCPU{Shares: ptr(uint64(256)), Cpus: "0"})
	strongDir, weakDir := v2dir(t, strong, a), v2dir(t, weak, b)
	strongFrom, weakFrom := cpuTime(t, strongDir), cpuTime(t, weakDir)
	await(t, "the fight", func() bool { return cpuTime(t, strongDir)-strongFrom > 2*time.Second })
	got, other := cpuTime(t, strongDir)-strongFrom, cpuTime(t, weakDir)-weakFrom
	if got < 5*other {
		t.Errorf("of one CPU 10240 shares got %v, 256 got %v", got, other)
	}
}

func TestVMCPUFiles(t *testing.T) {
	needV2(t, "cpu")
	t.Parallel()
	r, id := sleeper(t, cpuLimit(specs.LinuxCPU{Shares: ptr(uint64(1024)), Quota: ptr(int64(25000)), Period: ptr(uint64(50000)), Burst: ptr(uint64(5000))}))
	want := map[string]string{"cpu.weight": "100", "cpu.max": "25000 50000", "cpu.max.burst": "5000"}
	if underTest.kind == Runc {
		want["cpu.weight"] = "39" // before the newer conversion
		delete(want, "cpu.max.burst")
	}
	wantV2(t, v2dir(t, r, id), want)
	r, id = sleeper(t, cpuLimit(specs.LinuxCPU{Idle: ptr(int64(1))}))
	wantV2(t, v2dir(t, r, id), map[string]string{"cpu.idle": "1"})
}

func TestVMCpuset(t *testing.T) {
	needV2(t, "cpuset")
	if runtime.NumCPU() < 2 {
		skip(t, "needs two processors")
	}
	t.Parallel()
	r, id := sleeper(t, cpuLimit(specs.LinuxCPU{Cpus: "1", Mems: "0"}))
	allowed := []string{"exec", id, "grep", "Cpus_allowed_list", "/proc/1/status", "/proc/self/status"}
	r.Must(allowed...).Printed("/proc/1/status:Cpus_allowed_list:\t1\n/proc/self/status:Cpus_allowed_list:\t1")
	r.Must("update", "--cpuset-cpus", "0", id)
	r.Must(allowed...).Printed("/proc/1/status:Cpus_allowed_list:\t0\n/proc/self/status:Cpus_allowed_list:\t0")
	r.Do("update", "--cpuset-cpus", "4095", id).Failed("linux.resources.cpu.cpus").Exited(1)
	wantV2(t, v2dir(t, r, id), map[string]string{"cpuset.cpus": "0", "cpuset.mems": "0"})
}
