package container

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/docker/go-units"
	types "github.com/moby/moby/api/types/container"
	"github.com/spf13/pflag"

	"github.com/dhow-containers/dhow/higher/cli/opts"
)

// resourceFlags are the limits that update can change as well.
type resourceFlags struct {
	memory, reservation, swap, nanoCPUs int64

	period, quota, rtPeriod, rtRuntime, shares, pids int64

	cpus, mems string
	weight     uint16
}

func (f *resourceFlags) register(fs *pflag.FlagSet) {
	opts.Bytes(fs, &f.memory, "memory", "m", "Memory limit")
	opts.Bytes(fs, &f.reservation, "memory-reservation", "", "Memory that stays with the container under pressure")
	opts.Swap(fs, &f.swap, "memory-swap", "Limit of memory and swap together, -1 for unlimited swap")
	opts.CPUs(fs, &f.nanoCPUs, "cpus", "Number of CPUs")
	fs.Int64Var(&f.period, "cpu-period", 0, "Period of the CPU quota in microseconds")
	fs.Int64Var(&f.quota, "cpu-quota", 0, "CPU time in each period, in microseconds")
	fs.Int64Var(&f.rtPeriod, "cpu-rt-period", 0, "Period of real-time CPU in microseconds")
	fs.Int64Var(&f.rtRuntime, "cpu-rt-runtime", 0, "Real-time CPU in each period, in microseconds")
	fs.Int64VarP(&f.shares, "cpu-shares", "c", 0, "Relative weight of CPU time")
	fs.StringVar(&f.cpus, "cpuset-cpus", "", "CPUs to run on (0-3, 0,1)")
	fs.StringVar(&f.mems, "cpuset-mems", "", "Memory nodes to use (0-3, 0,1)")
	fs.Int64Var(&f.pids, "pids-limit", 0, "Limit of processes and threads, -1 for none")
	fs.Uint16Var(&f.weight, "blkio-weight", 0, "Relative weight of block I/O, 10 to 1000, or 0 for none")
}

func (f *resourceFlags) apply(r *types.Resources) {
	r.Memory, r.MemoryReservation, r.MemorySwap, r.NanoCPUs = f.memory, f.reservation, f.swap, f.nanoCPUs
	r.CPUPeriod, r.CPUQuota, r.CPURealtimePeriod, r.CPURealtimeRuntime, r.CPUShares = f.period, f.quota, f.rtPeriod, f.rtRuntime, f.shares
	r.CpusetCpus, r.CpusetMems, r.BlkioWeight = f.cpus, f.mems, f.weight
}

// limitFlags are all limits but those on single devices.
type limitFlags struct {
	resourceFlags

	swappiness int64
	oomOff     bool
	oomScore   int
	cgroup     string
	shm        int64
	ulimits    map[string]*units.Ulimit
}

func (f *limitFlags) register(fs *pflag.FlagSet) {
	f.resourceFlags.register(fs)
	fs.Int64Var(&f.swappiness, "memory-swappiness", -1, "How readily memory is swapped (0 to 100)")
	fs.BoolVar(&f.oomOff, "oom-kill-disable", false, "Stop instead of kill when memory is used up")
	fs.IntVar(&f.oomScore, "oom-score-adj", 0, "How likely the host kills it for memory (-1000 to 1000)")
	fs.StringVar(&f.cgroup, "cgroup-parent", "", "Control group above the container's")
	opts.Bytes(fs, &f.shm, "shm-size", "", "Size of /dev/shm")
	f.ulimits = map[string]*units.Ulimit{}
	opts.Var(fs, "ulimit", "ulimit", "", "Set a resource limit of the process (NAME=SOFT[:HARD])", func(s string) error {
		u, err := units.ParseUlimit(s)
		if err == nil {
			f.ulimits[u.Name] = u
		}
		return err
	})
	fs.Var(&foreign{"bytes"}, "kernel-memory", "Kernel memory limit")
	fs.MarkHidden("kernel-memory")
}

func (f *limitFlags) apply(r *request, fs *pflag.FlagSet) error {
	if fs.Changed("kernel-memory") {
		return fmt.Errorf("--kernel-memory is no longer supported by the kernel; use --memory")
	}
	if f.swappiness != -1 && (f.swappiness < 0 || f.swappiness > 100) {
		return fmt.Errorf("invalid value: %d. Valid memory swappiness range is 0-100", f.swappiness)
	}
	res := &r.host.Resources
	f.resourceFlags.apply(res)
	res.MemorySwappiness, res.OomKillDisable, res.PidsLimit = &f.swappiness, &f.oomOff, &f.pids
	res.CgroupParent = f.cgroup
	r.host.OomScoreAdj, r.host.ShmSize = f.oomScore, f.shm
	res.Ulimits = []*units.Ulimit{}
	for _, u := range f.ulimits {
		res.Ulimits = append(res.Ulimits, u)
	}
	slices.SortFunc(res.Ulimits, func(a, b *units.Ulimit) int { return cmp.Compare(a.Name, b.Name) })
	return nil
}
