package integration

import (
	"strings"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// Each limit, changed while the container runs.
func TestVMUpdateFlags(t *testing.T) {
	needV2(t, "memory", "cpu", "cpuset", "pids")
	t.Parallel()
	r, id := sleeper(t, memoryAndSwap(64<<20, 64<<20), pidsLimit(50))
	dir := v2dir(t, r, id)
	for _, c := range []struct {
		flags string
		want  map[string]string
	}{
		{"--pids-limit 77", map[string]string{"pids.max": "77", "memory.max": "67108864"}},
		{"--pids-limit -1", map[string]string{"pids.max": "max"}},
		{"--memory 256m --memory-swap 512m", map[string]string{"memory.max": "268435456", "memory.swap.max": "268435456"}},
		{"--memory 32m --memory-swap 48MiB --memory-reservation 16m", map[string]string{"memory.max": "33554432", "memory.swap.max": "16777216", "memory.low": "16777216"}},
		{"--memory 24m", map[string]string{"memory.max": "25165824"}},
		{"--memory -1 --memory-swap -1", map[string]string{"memory.max": "max", "memory.swap.max": "max"}},
		{"--cpu-quota 25000 --cpu-period 50000", map[string]string{"cpu.max": "25000 50000"}},
		{"--cpu-quota 20000", map[string]string{"cpu.max": "20000 50000"}},
		{"--cpu-period 80000", map[string]string{"cpu.max": "20000 80000"}},
		{"--cpu-share 10240", map[string]string{"cpu.max": "20000 80000"}},
		{"--cpuset-cpus 0 --cpuset-mems 0", map[string]string{"cpuset.cpus": "0", "cpuset.mems": "0"}},
	} {
		if strings.Contains(c.flags, "--cpu-period 80000") && underTest.kind != Dhow {
			continue // 1.1 lifts the quota
		}
		r.Must(append(append([]string{"update"}, strings.Fields(c.flags)...), id)...)
		for file, want := range c.want {
			if got := readFile(t, dir+"/"+file); got != want {
				t.Errorf("after %s: %s is %q, want %q", c.flags, file, got, want)
			}
		}
	}
}

// Bad values leave the old limits, also those that the kernel has taken before it refused another.
func TestVMUpdateOfBadValues(t *testing.T) {
	needV2(t, "memory", "pids", "cpuset")
	onlyDhow(t, "1.1 leaves what it has set")
	t.Parallel()
	r, id := sleeper(t, memoryAndSwap(64<<20, 96<<20), pidsLimit(50))
	dir := v2dir(t, r, id)
	for _, line := range []string{
		"--pids-limit 60 --memory 4x", "--pids-limit 60 --cpu-share -1", "--pids-limit 60 --cpuset-cpus 4095", "--memory 80m --cpuset-cpus 4095",
		"--pids-limit 60 --memory 128m --memory-swap 32m", "--pids-limit 60 --kernel-memory-tcp 1m", "--pids-limit 60 --cpu-rt-runtime 1000",
	} {
		r.Do(append(append([]string{"update"}, strings.Fields(line)...), id)...).Failed().Exited(1)
		wantV2(t, dir, map[string]string{"pids.max": "50", "memory.max": "67108864", "memory.swap.max": "33554432"})
	}
}

// checkBeforeUpdate: version 2 would kill at once.
func TestVMUpdateBelowTheUsage(t *testing.T) {
	needV2(t, "memory")
	onlyDhow(t, "1.1 has no checkBeforeUpdate")
	t.Parallel()
	r := newCLI(t)
	id := r.Started(newBundle(t, withProbe, noSwap(128), Shell("head -c 41943040 /dev/zero > /dev/shm/file; sleep 1000")))
	dir := v2dir(t, r, id)
	await(t, "the memory to be used", func() bool { return v2number(t, dir, "memory.current") > 30<<20 })
	cmd := r.Command("update", "--resources", "-", id)
	cmd.Stdin = strings.NewReader(`{"memory":{"limit":8388608,"checkBeforeUpdate":true}}`)
	r.DoCommand(cmd).Failed("linux.resources.memory.limit").Exited(1)
	wantV2(t, dir, map[string]string{"memory.max": "134217728"})
	if n := v2number(t, dir, "memory.events", "oom_kill"); n != 0 {
		t.Errorf("%d killed", n)
	}
	r.Must("update", "--memory", "8m", "--memory-swap", "8m", id)
	await(t, "the kernel to kill", func() bool {
		return r.State(id).Status == "stopped" || v2number(t, dir, "memory.events", "oom_kill") > 0
	})
}

// A limit that comes with an update binds as one that was there from the start.
func TestVMUpdateBinds(t *testing.T) {
	needV2(t, "memory", "pids")
	t.Parallel()
	r, id := sleeper(t)
	r.Must("exec", id, "/probe", "hog", "96")
	r.Must("update", "--memory", "64m", "--memory-swap", "64m", "--pids-limit", "8", id)
	r.Do("exec", id, "/probe", "hog", "96").Exited(137)
	if out := r.Do("exec", id, "sh", "-c", "for i in 1 2 3 4 5 6 7 8; do sleep 100 & done; echo all").Stdout; strings.Contains(out, "all") {
		t.Error("eight processes more than the limit allows")
	}
	r.Must("update", "--memory", "-1", "--memory-swap", "-1", "--pids-limit", "-1", id)
	r.Must("exec", id, "/probe", "hog", "96")
}

// containerd sends all of linux.resources, whatever has changed.
func TestVMUpdateOfEverything(t *testing.T) {
	needV2(t, "memory", "pids", "hugetlb", "io")
	t.Parallel()
	r, id := sleeper(t, noSwap(64), pidsLimit(50))
	dir := v2dir(t, r, id)
	cmd := r.Command("update", "--resources", "-", id)
	cmd.Stdin = strings.NewReader(`{"devices":[{"allow":false,"access":"rwm"},{"allow":true,"type":"c","major":10,"minor":229,"access":"rw"}],
		"memory":{"limit":67108864,"swap":67108864},"cpu":{"shares":1024,"cpus":"0"},"pids":{"limit":51},
		"hugepageLimits":[{"pageSize":"2MB","limit":4194304}],"blockIO":{"weight":400},"unified":{"memory.high":"50331648"}}`)
	r.DoCommand(cmd).Exited(0)
	wantV2(t, dir, map[string]string{"pids.max": "51", "memory.max": "67108864", "hugetlb.2MB.max": "4194304", "cpuset.cpus": "0", "memory.high": "50331648"})
	if underTest.kind == Dhow {
		r.Must("exec", id, "sh", "-c", "mknod /tmp/fuse c 10 229 && : < /tmp/fuse")
	}
}

// Limits of the config's unified keys, which go to the file of that name.
func TestVMUnifiedKeys(t *testing.T) {
	needV2(t, "memory", "pids", "cpu")
	t.Parallel()
	r, id := sleeper(t, Resources(func(r *specs.LinuxResources) {
		r.Unified = map[string]string{"memory.high": "33554432", "pids.max": "40", "cpu.weight": "250", "memory.min": "1048576"}
	}))
	wantV2(t, v2dir(t, r, id), map[string]string{"memory.high": "33554432", "pids.max": "40", "cpu.weight": "250", "memory.min": "1048576"})
	b := newBundle(t, Resources(func(r *specs.LinuxResources) { r.Unified = map[string]string{"memory.nosuch": "1"} }))
	r.Detached("create", "--bundle", b.Dir, r.ID()).Failed("memory.nosuch").Exited(1)
}
