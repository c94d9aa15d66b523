package cgroup

import "slices"

// Stats are what the kernel has counted for a container's control group since
// it was made. A part whose controller the group does not have is zero.
//
// Each controller is read where it lives: version 1 or version 2. The names
// follow Documentation/admin-guide/cgroup-v2.rst; where version 1 counts
// something else, the field says so. Times are in nanoseconds, sizes in bytes.
// A limit of NoLimit is none.
type Stats struct {
	CPU     CPUStats
	CPUSet  CPUSetStats
	Memory  MemoryStats
	Pids    PidsStats
	IO      IOStats
	Hugetlb []HugetlbStats // one for each page size that the group counts
	RDMA    []RDMAStats    // one for each device (cgroup-v1/rdma.rst)
}

// NoLimit is a limit that is not set: "max" in the files of version 2.
const NoLimit = ^uint64(0)

// CPUStats are cpu.stat, and in version 1 the files of the controllers cpu and
// cpuacct (cgroup-v1/cpuacct.rst).
type CPUStats struct {
	Usage  uint64 // ns of CPU time
	User   uint64 // ns of it in user mode; version 1 counts in ticks of 10 ms
	System uint64 // ns of it in the kernel

	// By CPU, in ns; version 1 only.
	PerCPU       []uint64
	PerCPUUser   []uint64
	PerCPUSystem []uint64

	// Of cpu.max (version 1: cpu.cfs_quota_us), Documentation/scheduler/sched-bwc.rst.
	Periods          uint64 // periods that have passed while something ran
	ThrottledPeriods uint64 // those in which the group used up its quota
	ThrottledTime    uint64 // ns that its tasks stood still for it
	Bursts           uint64 // periods in which saved up time was used
	BurstTime        uint64 // ns above the quota

	Pressure *Pressure // nil: the kernel does not tell
}

// Pressure is the share of time in which tasks waited for a resource
// (Documentation/accounting/psi.rst).
type Pressure struct {
	Some Stall // at least one task waited
	Full Stall // all of them waited
}

// Stall is one line of a pressure file.
type Stall struct {
	Avg10, Avg60, Avg300 float64 // percent of the last 10, 60 and 300 s
	Total                uint64  // µs in all
}

// CPUSetStats are the files of version 1's controller cpuset
// (cgroup-v1/cpusets.rst). Version 2 counts nothing there.
type CPUSetStats struct {
	CPUs                  []uint16
	CPUExclusive          uint64
	Mems                  []uint16
	MemHardwall           uint64
	MemExclusive          uint64
	MemoryMigrate         uint64
	MemorySpreadPage      uint64
	MemorySpreadSlab      uint64
	MemoryPressure        uint64
	SchedLoadBalance      uint64
	SchedRelaxDomainLevel int64
}

// MemoryStats are the memory.* files (version 1: cgroup-v1/memory.rst).
type MemoryStats struct {
	Usage Usage
	// Swap is memory and swap together. Version 2 limits and counts swap alone:
	// see SwapOnly, of which this is the sum with Usage, without a maximum.
	Swap      Usage
	SwapOnly  Usage // in version 1 the difference of usages; no limit, no maximum
	Kernel    Usage // version 1 only
	KernelTCP Usage // version 1 only
	Cache     uint64
	// Stat is memory.stat, in the kernel's order.
	Stat     []Counter
	Events   MemoryEvents
	Pressure *Pressure
}

// Usage is how much of something a group uses.
type Usage struct {
	Current uint64
	Max     uint64 // the most it ever used; version 2 since Linux 5.19
	Limit   uint64 // see NoLimit; version 1 has a number of pages as the largest
	Failed  uint64 // how often it came to the limit; version 1, and hugetlb
}

// MemoryEvents are memory.events of version 2; in version 1 only OOMKill is
// known (memory.oom_control).
type MemoryEvents struct {
	Low, High, Max, OOM, OOMKill uint64
}

// Counter is one line of a flat keyed file.
type Counter struct {
	Name  string
	Value uint64
}

// PidsStats are the pids.* files. Without the controller, Current is the number
// of processes in the group itself.
type PidsStats struct {
	Current uint64
	Limit   uint64 // 0 is none
}

// IOStats is io.stat, and in version 1 the blkio.* files that the host's
// scheduler of block I/O fills (cgroup-v1/blkio-controller.rst). Version 2 fills
// Bytes and Operations, with Op "Read" and "Write".
type IOStats struct {
	Bytes       []IOCount
	Operations  []IOCount
	Queued      []IOCount
	ServiceTime []IOCount // ns
	WaitTime    []IOCount // ns
	Merged      []IOCount
	Time        []IOCount // ms
	Sectors     []IOCount
	Pressure    *Pressure
}

// IOCount is a count of one device and, unless empty, one kind of operation.
type IOCount struct {
	Major, Minor uint64
	Op           string // "Read", "Write", "Sync", "Async", "Discard", "Total"
	Value        uint64
}

// HugetlbStats are the hugetlb.SIZE.* files, those of reservations where the
// kernel has them (Linux 5.7).
type HugetlbStats struct {
	PageSize string // as in the files' names: "2MB", "1GB"
	Usage    Usage  // no Max in version 2
}

// RDMAStats are a device's line in rdma.current and in rdma.max.
type RDMAStats struct {
	Device                     string
	Handles, Objects           uint32
	HandlesLimit, ObjectsLimit uint32 // the largest number is no limit
}

// Stats reads the group's statistics.
//
// Errors: fs.ErrNotExist when the group is gone; one that names the file when
// its content makes no sense.
func (g *Group) Stats() (*Stats, error) { return readStats(g.Paths, openGroup) }

// readStats reads the files below paths, which open opens.
func readStats(paths map[string]string, open func(string) (int, error)) (*Stats, error) {
	r := &statReader{paths: paths, open: open, s: &Stats{}, fd: -1, buf: make([]byte, 8192)}
	defer r.leave()
	for _, c := range v1Stats {
		if r.enter(c.name) {
			c.read(r)
		}
	}
	if r.enter("") {
		r.unified()
	}
	r.leave()
	if r.err != nil {
		return nil, errorf("cannot read the statistics of the container's cgroup: %w", r.err)
	}
	return r.s, nil
}

// v1Stats are the version 1 controllers with statistics, and how each is read.
var v1Stats = [...]struct {
	name string
	read func(*statReader)
}{
	{"cpuset", (*statReader).cpuset}, {"memory", (*statReader).memoryV1},
	{"cpu", (*statReader).throttlingV1}, {"cpuacct", (*statReader).cpuacct},
	{"pids", (*statReader).pids}, {"blkio", (*statReader).blkio},
	{"hugetlb", (*statReader).hugetlbV1}, {"rdma", (*statReader).rdma},
}

// unified reads what version 2 has and no version 1 hierarchy does.
func (r *statReader) unified() {
	has := func(c string) bool { return r.paths[c] == "" }
	if has("cpuacct") {
		r.cpuV2()
	}
	if has("memory") {
		r.memoryV2()
	}
	if has("pids") {
		r.pids()
	}
	if has("blkio") {
		r.io()
	}
	if has("hugetlb") {
		r.hugetlbV2()
	}
	if has("rdma") {
		r.rdma()
	}
	// A kernel accounts pressure to version 2 groups, whatever limits them.
	r.s.CPU.Pressure = r.pressure("cpu.pressure")
	r.s.Memory.Pressure = r.pressure("memory.pressure")
	r.s.IO.Pressure = r.pressure("io.pressure")
}

// Get returns a counter of memory.stat, 0 when the kernel does not count it.
func (m *MemoryStats) Get(name string) uint64 {
	if i := slices.IndexFunc(m.Stat, func(c Counter) bool { return c.Name == name }); i >= 0 {
		return m.Stat[i].Value
	}
	return 0
}
