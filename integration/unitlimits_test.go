package integration

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// inGroup checks files of a container's version 2 group, given as FILE=CONTENT.
func inGroup(t *testing.T, group string, want ...string) {
	t.Helper()
	for _, w := range want {
		name, value, _ := strings.Cut(w, "=")
		if got := readFile(t, filepath.Join("/sys/fs/cgroup", group, name)); got != value {
			t.Errorf("%s is %q, want %q", name, got, value)
		}
	}
}

func limited(r *specs.LinuxResources) Edit { return Linux(func(l *specs.Linux) { l.Resources = r }) }

// Limits are properties of the unit and in its files, and stay there when systemd writes them again.
func TestSystemdLimits(t *testing.T) {
	if !underSystemd(t) {
		return
	}
	needV2(t, "memory", "cpu", "cpuset", "pids", "io")
	r := systemdCLI(t)
	id := r.Started(newBundle(t, Args("sleep", "1000"), limited(&specs.LinuxResources{
		Memory: &specs.LinuxMemory{Limit: new(int64(64 << 20)), Reservation: new(int64(16 << 20)), Swap: new(int64(96 << 20))},
		CPU:    &specs.LinuxCPU{Shares: new(uint64(2048)), Quota: new(int64(30000)), Period: new(uint64(100000)), Cpus: "0", Mems: "0"},
		Pids:   &specs.LinuxPids{Limit: new(int64(20))},
	})))
	unit, group := unitOf(id)
	weight := readFile(t, "/sys/fs/cgroup"+group+"/cpu.weight")
	check := func() {
		t.Helper()
		shows(t, unit, "MemoryMax=67108864", "MemoryLow=16777216", "MemorySwapMax=33554432", "CPUWeight="+weight,
			"CPUQuotaPerSecUSec=300ms", "CPUQuotaPeriodUSec=100ms", "AllowedCPUs=0", "AllowedMemoryNodes=0", "TasksMax=20")
		inGroup(t, group, "memory.max=67108864", "memory.low=16777216", "memory.swap.max=33554432", "cpu.max=30000 100000", "cpuset.cpus=0",
			"cpuset.mems=0", "pids.max=20", "cpu.weight="+weight)
	}
	check()
	must(t, exec.Command("systemctl", "daemon-reload").Run())
	check()
}

// systemd hears of a limit of one process when there is only one.
func TestSystemdLimitOfOneProcess(t *testing.T) {
	if !underSystemd(t) {
		return
	}
	needV2(t, "pids")
	id := systemdCLI(t).Started(newBundle(t, Args("sleep", "1000"), MappedUser, limited(&specs.LinuxResources{
		Pids: &specs.LinuxPids{Limit: new(int64(1))},
	})))
	unit, group := unitOf(id)
	shows(t, unit, "TasksMax=1")
	inGroup(t, group, "pids.max=1")
}

func TestSystemdUpdate(t *testing.T) {
	if !underSystemd(t) {
		return
	}
	needV2(t, "memory", "cpu", "pids")
	r := systemdCLI(t)
	id := r.Started(newBundle(t, Args("sleep", "1000"), limited(&specs.LinuxResources{
		Memory: &specs.LinuxMemory{Limit: new(int64(64 << 20))}, Unified: map[string]string{"memory.oom.group": "1"},
	})))
	unit, group := unitOf(id)
	r.Flags = nil
	r.Must("update", "--memory", "32m", "--memory-swap", "48m", "--pids-limit", "9", "--cpu-quota", "12345", "--cpu-period", "50000", id)
	check := func() {
		t.Helper()
		shows(t, unit, "MemoryMax=33554432", "MemorySwapMax=16777216", "TasksMax=9", "CPUQuotaPerSecUSec=250ms", "CPUQuotaPeriodUSec=50ms")
		inGroup(t, group, "memory.max=33554432", "memory.swap.max=16777216", "pids.max=9", "cpu.max=12500 50000")
	}
	check()
	if underTest.kind == Dhow {
		inGroup(t, group, "memory.oom.group=1") // which systemd knows nothing of, and resets
	}
	must(t, exec.Command("systemctl", "daemon-reload").Run())
	check()
	r.Must("update", "--memory", "-1", "--pids-limit", "-1", id)
	shows(t, unit, "MemoryMax=infinity", "MemorySwapMax=infinity", "TasksMax=infinity")
	inGroup(t, group, "memory.max=max", "memory.swap.max=max", "pids.max=max")
	r.Do("update", "--pids-limit", "5", "--cpu-quota", "1", id).Failed() // too small for the kernel
	shows(t, unit, "TasksMax=infinity", "CPUQuotaPerSecUSec=250ms")
	inGroup(t, group, "pids.max=max", "cpu.max=12500 50000")
}

// A limit that systemd and the kernel agree on binds.
func TestSystemdLimitsBind(t *testing.T) {
	if !underSystemd(t) {
		return
	}
	needV2(t, "memory", "pids")
	r := systemdCLI(t)
	r.Run(newBundle(t, Shell("true | true | true | true; echo $?"), limited(&specs.LinuxResources{Pids: &specs.LinuxPids{Limit: new(int64(1))}}))).Failed()
	id := r.ID()
	r.Do("run", "--bundle", newBundle(t, Shell("x=a; while :; do x=$x$x$x; done"), memoryLimit(16<<20),
		Resources(func(r *specs.LinuxResources) { r.Memory.Swap = r.Memory.Limit })).Dir, id).Exited(137)
	noOwnUnit(t, id)
}

func TestSystemdUnifiedProperties(t *testing.T) {
	if !underSystemd(t) {
		return
	}
	needV2(t, "memory", "cpu", "pids")
	r := systemdCLI(t)
	id := r.Started(newBundle(t, Args("sleep", "1000"), limited(&specs.LinuxResources{Unified: map[string]string{
		"memory.max": "67108864", "memory.high": "33554432", "memory.low": "1048576", "memory.min": "131072", "pids.max": "42",
		"cpu.weight": "77", "cpu.max": "20000 100000",
	}})))
	unit, group := unitOf(id)
	shows(t, unit, "MemoryMax=67108864", "MemoryHigh=33554432", "MemoryLow=1048576", "MemoryMin=131072", "TasksMax=42", "CPUWeight=77",
		"CPUQuotaPerSecUSec=200ms")
	must(t, exec.Command("systemctl", "daemon-reload").Run())
	inGroup(t, group, "memory.max=67108864", "memory.high=33554432", "memory.low=1048576", "memory.min=131072", "pids.max=42", "cpu.weight=77",
		"cpu.max=20000 100000")
}

// Delegate=yes: a container that may write to its group makes groups below it, with controllers.
func TestSystemdDelegation(t *testing.T) {
	if !underSystemd(t) {
		return
	}
	needV2(t, "pids")
	r := systemdCLI(t)
	script := `cd /sys/fs/cgroup && mkdir -p a && echo $$ > a/cgroup.procs && echo +pids > cgroup.subtree_control && cat a/pids.max`
	r.Run(newBundle(t, Shell(script), Namespace(specs.CgroupNamespace, ""), Mount("cgroup", "cgroup", "/sys/fs/cgroup", "rw"))).Exited(0).Printed("max")
}

// A cpu.idle group is one of CPUWeight 0 to systemd, from 252 on.
func TestSystemdIdle(t *testing.T) {
	if !underSystemd(t) {
		return
	}
	needV2(t, "cpu")
	r := systemdCLI(t)
	id := r.Started(newBundle(t, Args("sleep", "1000"), limited(&specs.LinuxResources{CPU: &specs.LinuxCPU{Idle: new(int64(1))}})))
	unit, group := unitOf(id)
	shows(t, unit, "CPUWeight=idle")
	inGroup(t, group, "cpu.idle=1")
	file := filepath.Join(t.TempDir(), "r")
	must(t, os.WriteFile(file, []byte(`{"cpu":{"idle":0,"shares":1024}}`), 0o644))
	r.Must("update", "--resources", file, id)
	inGroup(t, group, "cpu.idle=0")
}
