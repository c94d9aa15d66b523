package oci

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/dhow-containers/dhow/higher/apparmor"
	"github.com/dhow-containers/dhow/runtime/cgroup"
	"github.com/dhow-containers/dhow/spec"
)

// Facts is what the host can do, as far as it decides what containers get. `docker info` shows most of it.
type Facts struct {
	Unified bool // cgroup v2 alone

	MemoryLimit, SwapLimit, MemoryReservation, OomKillDisable, MemorySwappiness bool
	CPUShares, CPUCfs, CPURealtime                                              bool
	BlkioWeight, BlkioWeightDevice                                              bool
	BlkioReadBps, BlkioWriteBps, BlkioReadIOps, BlkioWriteIOps                  bool
	Cpuset, PidsLimit                                                           bool

	CPUs       string // that cpusets can have, as a list
	Mems       string // memory nodes
	NumCPU     int
	AppArmor   bool
	SELinux    bool
	Seccomp    bool
	CgroupNS   bool
	Systemd    bool     // it is the init
	Capability []string // what the daemon has, and so containers can have
	OOMScore   int      // the daemon's own

	PingGroupRange, UnprivilegedPorts bool     // sysctls that there are
	Thermal                           []string // files of CPUs that tell about the neighbours
}

// ReadFacts looks at the host.
func ReadFacts() (*Facts, error) {
	f := &Facts{
		NumCPU: runtime.NumCPU(), AppArmor: apparmor.Enabled(),
		SELinux: exists("/sys/fs/selinux/enforce"), Seccomp: exists("/proc/sys/kernel/seccomp"),
		CgroupNS: exists("/proc/self/ns/cgroup"), Systemd: exists("/run/systemd/system"),
		PingGroupRange:    exists("/proc/sys/net/ipv4/ping_group_range"),
		UnprivilegedPorts: exists("/proc/sys/net/ipv4/ip_unprivileged_port_start"),
		OOMScore:          atoi(line("/proc/self/oom_score_adj")),
	}
	var err error
	if f.Capability, err = ownCapabilities(); err != nil {
		return nil, err
	}
	if f.Thermal, err = filepath.Glob("/sys/devices/system/cpu/cpu[0-9]*/thermal_throttle"); err != nil {
		return nil, fmt.Errorf("internal error: %w", err)
	}
	h, err := cgroup.Detect()
	if err != nil {
		return nil, err
	}
	return f, f.controllers(h)
}

// controllers finds out about limits. Those of version 1 are known by their files.
func (f *Facts) controllers(h *cgroup.Host) error {
	f.Unified = h.Mode == cgroup.Unified
	all, err := h.Controllers()
	if err != nil {
		return err
	}
	for _, name := range all {
		if dir, ok := h.V1[name]; ok {
			f.version1(name, func(file string) bool { return exists(filepath.Join(dir, file)) })
			if name == "cpuset" {
				f.CPUs, f.Mems = line(filepath.Join(dir, "cpuset.cpus")), line(filepath.Join(dir, "cpuset.mems"))
			}
			continue
		}
		f.version2(name, h.V2Root)
	}
	return nil
}

func (f *Facts) version1(controller string, has func(file string) bool) {
	switch controller {
	case "memory":
		f.MemoryLimit, f.SwapLimit = true, has("memory.memsw.limit_in_bytes")
		f.MemoryReservation, f.MemorySwappiness = has("memory.soft_limit_in_bytes"), has("memory.swappiness")
		f.OomKillDisable = has("memory.oom_control")
	case "cpu":
		f.CPUShares, f.CPUCfs, f.CPURealtime = has("cpu.shares"), has("cpu.cfs_quota_us"), has("cpu.rt_period_us")
	case "blkio":
		f.BlkioWeight = has("blkio.weight") || has("blkio.bfq.weight")
		f.BlkioWeightDevice = has("blkio.weight_device") || has("blkio.bfq.weight_device")
		f.BlkioReadBps, f.BlkioWriteBps = has("blkio.throttle.read_bps_device"), has("blkio.throttle.write_bps_device")
		f.BlkioReadIOps, f.BlkioWriteIOps = has("blkio.throttle.read_iops_device"), has("blkio.throttle.write_iops_device")
	case "cpuset":
		f.Cpuset = true
	case "pids":
		f.PidsLimit = true
	}
}

func (f *Facts) version2(controller, root string) {
	switch controller {
	case "memory":
		f.MemoryLimit, f.MemoryReservation = true, true
		f.SwapLimit = swapLimit(root, "/proc")
	case "cpu":
		f.CPUShares, f.CPUCfs = true, true
	case "io":
		f.BlkioWeight, f.BlkioWeightDevice = true, true
		f.BlkioReadBps, f.BlkioWriteBps, f.BlkioReadIOps, f.BlkioWriteIOps = true, true, true, true
	case "cpuset":
		f.Cpuset = true
		f.CPUs, f.Mems = line(filepath.Join(root, "cpuset.cpus.effective")), line(filepath.Join(root, "cpuset.mems.effective"))
	case "pids":
		f.PidsLimit = true
	}
}

// swapLimit says whether groups of version 2 can limit swap space. The root group has no such file, and before the first
// container there may be no other group with the memory controller: then there will be one unless the kernel was built
// without swap space, or told not to count it.
func swapLimit(root, proc string) bool {
	for _, pattern := range []string{"memory.max", "*/memory.max"} {
		found, err := filepath.Glob(filepath.Join(root, pattern))
		if err == nil && len(found) > 0 {
			return exists(filepath.Join(filepath.Dir(found[0]), "memory.swap.max"))
		}
	}
	return exists(filepath.Join(proc, "swaps")) && !slices.Contains(strings.Fields(line(filepath.Join(proc, "cmdline"))), "swapaccount=0")
}

// ownCapabilities are the effective ones of this process, in the order of their names.
func ownCapabilities() ([]string, error) {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return nil, fmt.Errorf("cannot find out the own capabilities: %w", err)
	}
	_, rest, _ := strings.Cut(string(text), "\nCapEff:")
	word, _, _ := strings.Cut(rest, "\n")
	bits, err := strconv.ParseUint(strings.TrimSpace(word), 16, 64)
	if err != nil {
		return nil, fmt.Errorf("cannot find out the own capabilities: %w", err)
	}
	var all []string
	for bit := range uint(64) {
		if name := spec.CapabilityName(bit); bits&(1<<bit) != 0 && name != "" {
			all = append(all, name)
		}
	}
	slices.Sort(all)
	return all, nil
}

func (f *Facts) can(capability string) bool { return slices.Contains(f.Capability, capability) }

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// line is the content of a small file of the kernel's, "" if there is none.
func line(path string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(text))
}

func atoi(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		return 0
	}
	return n
}
