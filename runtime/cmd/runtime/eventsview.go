package main

import (
	"github.com/dhow-containers/dhow/runtime/cgroup"
	"github.com/dhow-containers/dhow/runtime/container"
	"github.com/dhow-containers/dhow/runtime/resctrl"
)

// eventView is an event as runc prints it; its names and what is left out when
// zero are runc's (its package types), which go-runc and others decode.
type eventView struct {
	Type string     `json:"type"`
	ID   string     `json:"id"`
	Data *statsView `json:"data,omitempty"`
}

type statsView struct {
	CPU      cpuView                `json:"cpu"`
	CPUSet   cpusetView             `json:"cpuset"`
	Memory   memoryView             `json:"memory"`
	Pids     pidsView               `json:"pids"`
	Blkio    blkioView              `json:"blkio"`
	Hugetlb  map[string]hugetlbView `json:"hugetlb"`
	IntelRdt resctrl.Stats          `json:"intel_rdt"`
	Network  []struct{}             `json:"network_interfaces"` // runc has none either: it makes no interfaces
}

type cpuView struct {
	Usage      cpuUsageView   `json:"usage,omitzero"`
	Throttling throttlingView `json:"throttling,omitzero"`
	PSI        *pressureView  `json:"psi,omitempty"`
}

type cpuUsageView struct { // ns
	Total        uint64   `json:"total,omitempty"`
	PerCPU       []uint64 `json:"percpu,omitempty"`
	PerCPUKernel []uint64 `json:"percpu_kernel,omitempty"`
	PerCPUUser   []uint64 `json:"percpu_user,omitempty"`
	Kernel       uint64   `json:"kernel"`
	User         uint64   `json:"user"`
}

type throttlingView struct {
	Periods          uint64 `json:"periods,omitempty"`
	ThrottledPeriods uint64 `json:"throttledPeriods,omitempty"`
	ThrottledTime    uint64 `json:"throttledTime,omitempty"` // ns
}

type pressureView struct {
	Some stallView `json:"some"`
	Full stallView `json:"full"`
}

type stallView struct {
	Avg10  float64 `json:"avg10"`
	Avg60  float64 `json:"avg60"`
	Avg300 float64 `json:"avg300"`
	Total  uint64  `json:"total"`
}

type cpusetView struct {
	CPUs                  []uint16 `json:"cpus,omitempty"`
	CPUExclusive          uint64   `json:"cpu_exclusive"`
	Mems                  []uint16 `json:"mems,omitempty"`
	MemHardwall           uint64   `json:"mem_hardwall"`
	MemExclusive          uint64   `json:"mem_exclusive"`
	MemoryMigrate         uint64   `json:"memory_migrate"`
	MemorySpreadPage      uint64   `json:"memory_spread_page"`
	MemorySpreadSlab      uint64   `json:"memory_spread_slab"`
	MemoryPressure        uint64   `json:"memory_pressure"`
	SchedLoadBalance      uint64   `json:"sched_load_balance"`
	SchedRelaxDomainLevel int64    `json:"sched_relax_domain_level"`
}

type memoryView struct {
	Cache     uint64            `json:"cache,omitempty"`
	Usage     usageView         `json:"usage,omitzero"`
	Swap      usageView         `json:"swap,omitzero"`
	Kernel    usageView         `json:"kernel,omitzero"`
	KernelTCP usageView         `json:"kernelTCP,omitzero"`
	Raw       map[string]uint64 `json:"raw,omitempty"`
	PSI       *pressureView     `json:"psi,omitempty"`
}

type usageView struct {
	Limit   uint64 `json:"limit"`
	Usage   uint64 `json:"usage,omitempty"`
	Max     uint64 `json:"max,omitempty"`
	Failcnt uint64 `json:"failcnt"`
}

type pidsView struct {
	Current uint64 `json:"current,omitempty"`
	Limit   uint64 `json:"limit,omitempty"`
}

type blkioView struct {
	Bytes       []ioView      `json:"ioServiceBytesRecursive,omitempty"`
	Operations  []ioView      `json:"ioServicedRecursive,omitempty"`
	Queued      []ioView      `json:"ioQueueRecursive,omitempty"`
	ServiceTime []ioView      `json:"ioServiceTimeRecursive,omitempty"`
	WaitTime    []ioView      `json:"ioWaitTimeRecursive,omitempty"`
	Merged      []ioView      `json:"ioMergedRecursive,omitempty"`
	Time        []ioView      `json:"ioTimeRecursive,omitempty"`
	Sectors     []ioView      `json:"sectorsRecursive,omitempty"`
	PSI         *pressureView `json:"psi,omitempty"`
}

type ioView struct {
	Major uint64 `json:"major,omitempty"`
	Minor uint64 `json:"minor,omitempty"`
	Op    string `json:"op,omitempty"`
	Value uint64 `json:"value,omitempty"`
}

type hugetlbView struct {
	Usage   uint64 `json:"usage,omitempty"`
	Max     uint64 `json:"max,omitempty"`
	Failcnt uint64 `json:"failcnt"`
}

func newStatsView(s *container.Stats) *statsView {
	v := &statsView{
		CPU:    newCPUView(&s.CPU),
		CPUSet: cpusetView(s.CPUSet),
		Memory: newMemoryView(&s.Memory),
		Pids:   pidsView(s.Pids),
		Blkio: blkioView{
			Bytes: ioViews(s.IO.Bytes), Operations: ioViews(s.IO.Operations), Queued: ioViews(s.IO.Queued),
			ServiceTime: ioViews(s.IO.ServiceTime), WaitTime: ioViews(s.IO.WaitTime), Merged: ioViews(s.IO.Merged),
			Time: ioViews(s.IO.Time), Sectors: ioViews(s.IO.Sectors), PSI: newPressureView(s.IO.Pressure),
		},
		Hugetlb: make(map[string]hugetlbView, len(s.Hugetlb)),
	}
	if s.IntelRdt != nil {
		v.IntelRdt = *s.IntelRdt
	}
	for _, h := range s.Hugetlb {
		v.Hugetlb[h.PageSize] = hugetlbView{h.Usage.Current, h.Usage.Max, h.Usage.Failed}
	}
	return v
}

func newCPUView(c *cgroup.CPUStats) cpuView {
	return cpuView{
		Usage:      cpuUsageView{c.Usage, c.PerCPU, c.PerCPUSystem, c.PerCPUUser, c.System, c.User},
		Throttling: throttlingView{c.Periods, c.ThrottledPeriods, c.ThrottledTime},
		PSI:        newPressureView(c.Pressure),
	}
}

func newMemoryView(m *cgroup.MemoryStats) memoryView {
	v := memoryView{
		Cache: m.Cache, Usage: newUsageView(m.Usage), Swap: newUsageView(m.Swap), Kernel: newUsageView(m.Kernel),
		KernelTCP: newUsageView(m.KernelTCP), PSI: newPressureView(m.Pressure), Raw: make(map[string]uint64, len(m.Stat)),
	}
	for _, c := range m.Stat {
		v.Raw[c.Name] = c.Value
	}
	return v
}

func newUsageView(u cgroup.Usage) usageView {
	return usageView{u.Limit, u.Current, u.Max, u.Failed}
}

func newPressureView(p *cgroup.Pressure) *pressureView {
	if p == nil {
		return nil
	}
	return &pressureView{stallView(p.Some), stallView(p.Full)}
}

func ioViews(counts []cgroup.IOCount) []ioView {
	views := make([]ioView, len(counts))
	for i, c := range counts {
		views[i] = ioView(c)
	}
	return views
}
