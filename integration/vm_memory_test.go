package integration

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// noSwap makes the limit one of memory alone.
func noSwap(mib int64) Edit { return memoryAndSwap(mib<<20, mib<<20) }

func TestVMMemoryKillsAHog(t *testing.T) {
	needV2(t, "memory")
	t.Parallel()
	r := newCLI(t)
	r.Run(newBundle(t, probe("hog", "16"), noSwap(64))).Exited(0).Printed("touched 16 MiB")
	r.Run(newBundle(t, probe("hog", "128"), noSwap(64))).Exited(137)
}

// Only the hog dies, and the kernel says that it was for want of memory.
func TestVMMemoryKillIsCounted(t *testing.T) {
	needV2(t, "memory")
	t.Parallel()
	r, id := sleeper(t, noSwap(64))
	dir := v2dir(t, r, id)
	r.Do("exec", id, "/probe", "hog", "128").Exited(137)
	if n := v2number(t, dir, "memory.events", "oom_kill"); n != 1 {
		t.Errorf("oom_kill: %d", n)
	}
	if s := r.State(id).Status; s != "running" {
		t.Errorf("the container is %s", s)
	}
	wantV2(t, dir, map[string]string{"memory.max": "67108864", "memory.swap.max": "0"})
}

// With memory.oom.group one process that goes too far takes all the others along.
func TestVMMemoryKillsTheGroup(t *testing.T) {
	needV2(t, "memory")
	t.Parallel()
	r, id := sleeper(t, noSwap(64), Resources(func(r *specs.LinuxResources) {
		r.Unified = map[string]string{"memory.oom.group": "1"}
	}))
	r.Do("exec", id, "/probe", "hog", "128").Exited(137)
	r.AwaitStatus(id, "stopped")
}

func TestVMSwap(t *testing.T) {
	needV2(t, "memory")
	device := os.Getenv("DHOW_TEST_SWAP")
	if device == "" {
		skip(t, "needs a disk to swap to: make test-vm")
	}
	must(t, exec.Command(Busybox, "swapon", device).Run()) // other tests take it for granted that there is none
	t.Cleanup(func() { must(t, exec.Command(Busybox, "swapoff", device).Run()) })
	r := newCLI(t)
	r.Run(newBundle(t, probe("hog", "96"), memoryAndSwap(48<<20, 144<<20))).Exited(0).Printed("touched 96 MiB")
	r.Run(newBundle(t, probe("hog", "96"), memoryAndSwap(48<<20, 64<<20))).Exited(137)
	r, id := sleeper(t, memoryAndSwap(48<<20, 144<<20))
	wantV2(t, v2dir(t, r, id), map[string]string{"memory.max": "50331648", "memory.swap.max": "100663296"})
	r, id = sleeper(t, memoryAndSwap(48<<20, -1))
	wantV2(t, v2dir(t, r, id), map[string]string{"memory.max": "50331648", "memory.swap.max": "max"})
}

func TestVMMemoryReservation(t *testing.T) {
	needV2(t, "memory")
	t.Parallel()
	r, id := sleeper(t, Resources(func(r *specs.LinuxResources) { r.Memory = &specs.LinuxMemory{Reservation: ptr(int64(32 << 20))} }))
	wantV2(t, v2dir(t, r, id), map[string]string{"memory.low": "33554432", "memory.max": "max"})
}

// What only version 1 has is refused by name, and nothing is left of the container.
func TestVMFieldsOfVersion1(t *testing.T) {
	needV2(t, "memory", "cpu")
	t.Parallel()
	r := newCLI(t)
	for field, edit := range map[string]func(*specs.LinuxResources){
		"memory.swappiness":       func(r *specs.LinuxResources) { r.Memory = &specs.LinuxMemory{Swappiness: ptr(uint64(10))} },
		"memory.disableOOMKiller": func(r *specs.LinuxResources) { r.Memory = &specs.LinuxMemory{DisableOOMKiller: ptr(true)} },
		"memory.kernelTCP":        func(r *specs.LinuxResources) { r.Memory = &specs.LinuxMemory{KernelTCP: ptr(int64(1 << 20))} },
		"cpu.realtimeRuntime":     func(r *specs.LinuxResources) { r.CPU = &specs.LinuxCPU{RealtimeRuntime: ptr(int64(1000))} },
		"cpu.realtimePeriod":      func(r *specs.LinuxResources) { r.CPU = &specs.LinuxCPU{RealtimePeriod: ptr(uint64(1000000))} },
		"network.classID":         func(r *specs.LinuxResources) { r.Network = &specs.LinuxNetwork{ClassID: ptr(uint32(5))} },
		"network.priorities[0]": func(r *specs.LinuxResources) {
			r.Network = &specs.LinuxNetwork{Priorities: []specs.LinuxInterfacePriority{{Name: "lo", Priority: 3}}}
		},
	} {
		t.Run(field, func(t *testing.T) {
			onlyDhow(t, "1.1 ignores some of these")
			res := r.Detached("create", "--bundle", newBundle(t, Resources(edit)).Dir, r.ID())
			res.Failed("linux.resources." + field).Exited(1)
			if strings.Contains(res.Stderr, "/sys/fs/cgroup") {
				t.Errorf("it took the kernel to find out: %s", res.Stderr)
			}
		})
	}
}
