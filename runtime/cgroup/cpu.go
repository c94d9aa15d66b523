package cgroup

import (
	"math"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

const fieldCPU = "linux.resources.cpu."

// The bounds of cpu.shares (kernel/sched/sched.h: MIN_SHARES, MAX_SHARES).
const (
	minShares = 2
	maxShares = 1 << 18
)

// cpu plans linux.resources.cpu without cpus and mems. As in runc, 0 means
// unset in shares, quota, period and the realtime pair.
func (b *builder) cpu(c *specs.LinuxCPU) {
	if c == nil {
		return
	}
	if c.Burst != nil && value(c.Quota) > 0 && *c.Burst > uint64(*c.Quota) {
		b.fail(fieldCPU+"burst", "%d is larger than %squota, %d", *c.Burst, fieldCPU, *c.Quota)
		return
	}
	if c.Idle != nil && (*c.Idle < 0 || *c.Idle > 1) {
		b.fail(fieldCPU+"idle", "%d is neither 0 nor 1", *c.Idle)
		return
	}
	if b.onV1("cpu") {
		b.cpuV1(c)
	} else {
		b.cpuV2(c)
	}
}

func (b *builder) cpuV1(c *specs.LinuxCPU) {
	if s := uvalue(c.Shares); s != 0 {
		if s < minShares || s > maxShares {
			b.fail(fieldCPU+"shares", "%d is not between %d and %d", s, minShares, maxShares)
			return
		}
		b.set1("cpu", "cpu.shares", unsigned(s), fieldCPU+"shares")
	}
	if p := uvalue(c.Period); p != 0 {
		b.set1("cpu", "cpu.cfs_period_us", unsigned(p), fieldCPU+"period")
	}
	if q := value(c.Quota); q != 0 {
		b.set1("cpu", "cpu.cfs_quota_us", decimal(max(q, -1)), fieldCPU+"quota")
	}
	if c.Burst != nil {
		b.set1("cpu", "cpu.cfs_burst_us", unsigned(*c.Burst), fieldCPU+"burst").SkipMissing = *c.Burst == 0
	}
	if c.Idle != nil {
		b.set1("cpu", "cpu.idle", decimal(*c.Idle), fieldCPU+"idle").SkipMissing = *c.Idle == 0
	}
	if p := uvalue(c.RealtimePeriod); p != 0 {
		b.set1("cpu", "cpu.rt_period_us", unsigned(p), fieldCPU+"realtimePeriod")
	}
	if r := value(c.RealtimeRuntime); r != 0 {
		b.set1("cpu", "cpu.rt_runtime_us", decimal(r), fieldCPU+"realtimeRuntime")
	}
}

func (b *builder) cpuV2(c *specs.LinuxCPU) {
	// The kernel refuses a weight for an idle group, so idle comes last.
	if s := uvalue(c.Shares); s != 0 {
		b.set2("cpu", "cpu.weight", unsigned(weightFromShares(s)), fieldCPU+"shares")
	}
	switch q, p := value(c.Quota), uvalue(c.Period); {
	case q != 0 && p != 0:
		b.set2("cpu", "cpu.max", limitOrMax(q)+" "+unsigned(p), fieldCPU+"quota")
	case q != 0:
		// One number leaves the period as it is.
		b.set2("cpu", "cpu.max", limitOrMax(q), fieldCPU+"quota")
	case p != 0:
		b.set2("cpu", "cpu.max", "max "+unsigned(p), fieldCPU+"period")
	}
	if c.Burst != nil {
		b.set2("cpu", "cpu.max.burst", unsigned(*c.Burst), fieldCPU+"burst").SkipMissing = *c.Burst == 0
	}
	if c.Idle != nil {
		b.set2("cpu", "cpu.idle", decimal(*c.Idle), fieldCPU+"idle").SkipMissing = *c.Idle == 0
	}
	if uvalue(c.RealtimePeriod) != 0 {
		b.v1Only(fieldCPU + "realtimePeriod")
	}
	if value(c.RealtimeRuntime) != 0 {
		b.v1Only(fieldCPU + "realtimeRuntime")
	}
}

// weightFromShares converts cpu.shares (2 to 262144, default 1024) to
// cpu.weight (1 to 10000, default 100): the power of ten whose exponent is the
// quadratic in log2(shares) through those three points. It is the conversion of
// runc since 1.3.2 and of crun since 1.23 (opencontainers/cgroups 0.0.3); the
// older linear one gave 1024 shares the weight 39.
func weightFromShares(shares uint64) uint64 {
	switch {
	case shares <= minShares:
		return 1
	case shares >= maxShares:
		return 10000
	}
	l := math.Log2(float64(shares))
	return uint64(math.Ceil(math.Pow(10, (l*l+125*l)/612-7.0/34)))
}

func uvalue(p *uint64) uint64 {
	if p == nil {
		return 0
	}
	return *p
}

// cpuset plans linux.resources.cpu.cpus and mems.
func (b *builder) cpuset(c *specs.LinuxCPU) {
	if c == nil {
		return
	}
	for _, s := range []struct{ value, name string }{{c.Cpus, "cpus"}, {c.Mems, "mems"}} {
		switch {
		case s.value == "":
		case b.onV1("cpuset"):
			b.set1("cpuset", "cpuset."+s.name, s.value, fieldCPU+s.name)
		default:
			b.set2("cpuset", "cpuset."+s.name, s.value, fieldCPU+s.name)
		}
	}
}

// inheritCpuset plans the copies without which no task can join a version 1
// cpuset: a new one is empty. What the config sets need not be copied.
func (b *builder) inheritCpuset(r *specs.LinuxResources) {
	if !b.onV1("cpuset") {
		return
	}
	var c specs.LinuxCPU
	if r != nil && r.CPU != nil {
		c = *r.CPU
	}
	dir := b.v1["cpuset"]
	for _, s := range []struct{ value, file string }{{c.Cpus, "/cpuset.cpus"}, {c.Mems, "/cpuset.mems"}} {
		if s.value == "" {
			b.add(Write{Controller: "cpuset", Path: dir + s.file, From: parentDir(dir) + s.file, Field: "linux.cgroupsPath"})
		}
	}
}
