package oci

import (
	"fmt"

	"github.com/moby/moby/api/types/blkiodev"
	types "github.com/moby/moby/api/types/container"
	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// Resources are the limits of a HostConfig, without rules about devices.
func Resources(h *types.HostConfig) (*specs.LinuxResources, error) {
	cpu, err := cpuLimits(&h.Resources)
	if err != nil {
		return nil, err
	}
	io, err := ioLimits(&h.Resources)
	if err != nil {
		return nil, err
	}
	return &specs.LinuxResources{Memory: memoryLimits(&h.Resources), CPU: cpu, BlockIO: io, Pids: pidsLimit(&h.Resources)}, nil
}

func memoryLimits(r *types.Resources) *specs.LinuxMemory {
	m := specs.LinuxMemory{DisableOOMKiller: r.OomKillDisable}
	if r.Memory > 0 {
		m.Limit = &r.Memory
	}
	if r.MemoryReservation > 0 {
		m.Reservation = &r.MemoryReservation
	}
	if r.MemorySwap > 0 || r.MemorySwap == -1 && r.Memory > 0 {
		m.Swap = &r.MemorySwap
	}
	if r.MemorySwappiness != nil {
		n := uint64(*r.MemorySwappiness)
		m.Swappiness = &n
	}
	if m == (specs.LinuxMemory{}) {
		return nil
	}
	return &m
}

// pidsLimit is -1 for no limit, as update needs it.
func pidsLimit(r *types.Resources) *specs.LinuxPids {
	if r.PidsLimit == nil {
		return nil
	}
	limit := *r.PidsLimit
	if limit <= 0 {
		limit = -1
	}
	return &specs.LinuxPids{Limit: &limit}
}

// cpuPeriod is the period that --cpus is a share of, in microseconds.
const cpuPeriod = 100_000

func cpuLimits(r *types.Resources) (*specs.LinuxCPU, error) {
	c := specs.LinuxCPU{Cpus: r.CpusetCpus, Mems: r.CpusetMems}
	number := func(n int64) *uint64 {
		if n == 0 {
			return nil
		}
		u := uint64(n)
		return &u
	}
	if r.CPUShares < 0 {
		return nil, invalidf("invalid CPU shares (%d): value must be a positive integer", r.CPUShares)
	}
	c.Shares, c.Period, c.RealtimePeriod = number(r.CPUShares), number(r.CPUPeriod), number(r.CPURealtimePeriod)
	if r.NanoCPUs > 0 {
		quota := r.NanoCPUs * cpuPeriod / 1e9
		c.Period, c.Quota = number(cpuPeriod), &quota
	}
	if r.CPUQuota != 0 {
		c.Quota = &r.CPUQuota
	}
	if r.CPURealtimeRuntime != 0 {
		c.RealtimeRuntime = &r.CPURealtimeRuntime
	}
	if c == (specs.LinuxCPU{}) {
		return nil, nil
	}
	return &c, nil
}

func ioLimits(r *types.Resources) (*specs.LinuxBlockIO, error) {
	var io specs.LinuxBlockIO
	any := r.BlkioWeight != 0
	if any {
		io.Weight = &r.BlkioWeight
	}
	for _, w := range r.BlkioWeightDevice {
		major, minor, err := blockDevice(w.Path)
		if err != nil {
			return nil, err
		}
		d := specs.LinuxWeightDevice{Weight: &w.Weight}
		d.Major, d.Minor = major, minor
		io.WeightDevice, any = append(io.WeightDevice, d), true
	}
	for _, limit := range [...]struct {
		from []*blkiodev.ThrottleDevice
		to   *[]specs.LinuxThrottleDevice
	}{
		{r.BlkioDeviceReadBps, &io.ThrottleReadBpsDevice},
		{r.BlkioDeviceWriteBps, &io.ThrottleWriteBpsDevice},
		{r.BlkioDeviceReadIOps, &io.ThrottleReadIOPSDevice},
		{r.BlkioDeviceWriteIOps, &io.ThrottleWriteIOPSDevice},
	} {
		for _, t := range limit.from {
			major, minor, err := blockDevice(t.Path)
			if err != nil {
				return nil, err
			}
			d := specs.LinuxThrottleDevice{Rate: t.Rate}
			d.Major, d.Minor = major, minor
			*limit.to, any = append(*limit.to, d), true
		}
	}
	if !any {
		return nil, nil
	}
	return &io, nil
}

// blockDevice is the number of a device on the host.
func blockDevice(path string) (major, minor int64, err error) {
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		return 0, 0, fmt.Errorf("stat %s: %w", path, err)
	}
	return int64(unix.Major(st.Rdev)), int64(unix.Minor(st.Rdev)), nil
}
