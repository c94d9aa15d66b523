package cgroup

import "bytes"

// tick is the unit of cpuacct.stat, in nanoseconds: USER_HZ is 100 on x86-64.
const tick = 1e9 / 100

// cpuV2 reads cpu.stat, which a group has also without the controller.
func (r *statReader) cpuV2() {
	c := &r.s.CPU
	r.flat("cpu.stat", func(key []byte, v uint64) {
		switch string(key) {
		case "usage_usec":
			c.Usage = v * 1000
		case "user_usec":
			c.User = v * 1000
		case "system_usec":
			c.System = v * 1000
		case "nr_periods":
			c.Periods = v
		case "nr_throttled":
			c.ThrottledPeriods = v
		case "throttled_usec":
			c.ThrottledTime = v * 1000
		case "nr_bursts":
			c.Bursts = v
		case "burst_usec":
			c.BurstTime = v * 1000
		}
	})
}

// throttlingV1 reads cpu.stat of version 1, which is about the quota alone.
func (r *statReader) throttlingV1() {
	c := &r.s.CPU
	r.flat("cpu.stat", func(key []byte, v uint64) {
		switch string(key) {
		case "nr_periods":
			c.Periods = v
		case "nr_throttled":
			c.ThrottledPeriods = v
		case "throttled_time":
			c.ThrottledTime = v
		case "nr_bursts":
			c.Bursts = v
		case "burst_time":
			c.BurstTime = v
		}
	})
}

func (r *statReader) cpuacct() {
	c := &r.s.CPU
	r.flat("cpuacct.stat", func(key []byte, v uint64) {
		switch string(key) {
		case "user":
			c.User = v * tick
		case "system":
			c.System = v * tick
		}
	})
	c.Usage = r.number("cpuacct.usage")
	c.PerCPU = r.list("cpuacct.usage_percpu")
	const name = "cpuacct.usage_all" // a table: cpu user system
	text, _ := r.read(name)
	_, text, _ = bytes.Cut(text, []byte("\n"))
	for line := range bytes.Lines(text) {
		f := bytes.Fields(line)
		if len(f) < 3 {
			r.bad(name, line)
			return
		}
		user, ok := counter(f[1])
		system, ok2 := counter(f[2])
		if !ok || !ok2 {
			r.bad(name, line)
			return
		}
		c.PerCPUUser = append(c.PerCPUUser, user)
		c.PerCPUSystem = append(c.PerCPUSystem, system)
	}
}

func (r *statReader) cpuset() {
	c := &r.s.CPUSet
	c.CPUs, c.Mems = r.ids("cpuset.cpus"), r.ids("cpuset.mems")
	for _, f := range [...]struct {
		name string
		to   *uint64
	}{
		{"cpuset.cpu_exclusive", &c.CPUExclusive},
		{"cpuset.mem_hardwall", &c.MemHardwall},
		{"cpuset.mem_exclusive", &c.MemExclusive},
		{"cpuset.memory_migrate", &c.MemoryMigrate},
		{"cpuset.memory_spread_page", &c.MemorySpreadPage},
		{"cpuset.memory_spread_slab", &c.MemorySpreadSlab},
		{"cpuset.memory_pressure", &c.MemoryPressure},
		{"cpuset.sched_load_balance", &c.SchedLoadBalance},
	} {
		*f.to = r.number(f.name)
	}
	c.SchedRelaxDomainLevel = r.signed("cpuset.sched_relax_domain_level")
}
