package spec

import specs "github.com/opencontainers/runtime-spec/specs-go"

// limit checks a limit of which -1 means "none".
func (c *checker) limit(p *path, n *int64) {
	if n != nil && *n < -1 {
		c.add(p, "%d is negative and not -1", *n)
	}
}

func (c *checker) memory(p *path, m *specs.LinuxMemory) {
	for _, l := range [...]struct {
		key   string
		value *int64
	}{
		{"limit", m.Limit}, {"reservation", m.Reservation}, {"swap", m.Swap},
		{"kernel", m.Kernel}, //nolint:staticcheck // deprecated, and still in use
		{"kernelTCP", m.KernelTCP},
	} {
		place := p.at(l.key)
		c.limit(&place, l.value)
	}
	place := p.at("swap")
	if m.Swap != nil && *m.Swap > 0 {
		switch {
		case m.Limit == nil || *m.Limit <= 0:
			c.add(&place, "requires a memory limit: it is the limit of memory and swap together")
		case *m.Swap < *m.Limit:
			c.add(&place, "%d, the limit of memory and swap together, is below the memory limit %d", *m.Swap, *m.Limit)
		}
	}
	place = p.at("swappiness")
	if m.Swappiness != nil && *m.Swappiness > 100 {
		c.add(&place, "%d is not between 0 and 100", *m.Swappiness)
	}
}

// The kernel's limits of cpu bandwidth, in microseconds: min_cfs_quota_period and max_cfs_quota_period of
// kernel/sched/core.c.
const (
	minBandwidth = 1000
	maxBandwidth = 1000000
)

// cpu checks the cpu and cpuset controllers. 0 is what engines write for "not set".
func (c *checker) cpu(p *path, cpu *specs.LinuxCPU) {
	place := p.at("quota")
	quota := cpu.Quota != nil && *cpu.Quota > 0
	if quota && *cpu.Quota < minBandwidth {
		c.add(&place, "%d is below the kernel's minimum of %d µs", *cpu.Quota, minBandwidth)
	}
	place = p.at("burst")
	if quota && cpu.Burst != nil && *cpu.Burst > uint64(*cpu.Quota) {
		c.add(&place, "%d is above the quota %d", *cpu.Burst, *cpu.Quota)
	}
	place = p.at("period")
	if t := cpu.Period; t != nil && *t != 0 && (*t < minBandwidth || *t > maxBandwidth) {
		c.add(&place, "%d is not between %d and %d µs", *t, minBandwidth, maxBandwidth)
	}
	place = p.at("realtimeRuntime")
	c.limit(&place, cpu.RealtimeRuntime)
	if r, t := cpu.RealtimeRuntime, cpu.RealtimePeriod; r != nil && t != nil && *r > 0 && *t != 0 && uint64(*r) > *t {
		c.add(&place, "%d is above the realtimePeriod %d", *r, *t)
	}
	place = p.at("cpus")
	c.idList(&place, cpu.Cpus)
	place = p.at("mems")
	c.idList(&place, cpu.Mems)
	place = p.at("idle")
	if cpu.Idle != nil && *cpu.Idle != 0 && *cpu.Idle != 1 {
		c.add(&place, "%d is neither 0 nor 1", *cpu.Idle)
	}
}

func (c *checker) blockIO(p *path, io *specs.LinuxBlockIO) {
	c.weights(p, io.Weight, io.LeafWeight)
	place := p.at("weightDevice")
	for i, d := range io.WeightDevice {
		item := place.item(i)
		c.deviceNumbers(&item, d.Major, d.Minor)
		c.weights(&item, d.Weight, d.LeafWeight)
		if d.Weight == nil && d.LeafWeight == nil {
			c.add(&item, "weight or leafWeight is required")
		}
	}
	for _, throttle := range [...]struct {
		key  string
		list []specs.LinuxThrottleDevice
	}{
		{"throttleReadBpsDevice", io.ThrottleReadBpsDevice},
		{"throttleWriteBpsDevice", io.ThrottleWriteBpsDevice},
		{"throttleReadIOPSDevice", io.ThrottleReadIOPSDevice},
		{"throttleWriteIOPSDevice", io.ThrottleWriteIOPSDevice},
	} {
		place = p.at(throttle.key)
		for i, d := range throttle.list {
			item := place.item(i)
			c.deviceNumbers(&item, d.Major, d.Minor)
		}
	}
}

// weights checks the range of blkio.weight (10 to 1000, cgroup v1); 0 means "not set".
func (c *checker) weights(p *path, weight, leaf *uint16) {
	for _, w := range [...]struct {
		key   string
		value *uint16
	}{{"weight", weight}, {"leafWeight", leaf}} {
		if w.value != nil && *w.value != 0 && (*w.value < 10 || *w.value > 1000) {
			place := p.at(w.key)
			c.add(&place, "%d is not between 10 and 1000", *w.value)
		}
	}
}
