package metrics

import (
	"github.com/dhow-containers/dhow/runtime/cgroup"
	"github.com/dhow-containers/dhow/shim/wire"
)

// V2 is the message for a host with control groups of version 2 alone.
func V2(s *cgroup.Stats) *wire.Any {
	return wire.Pack("io.containerd.cgroups.v2.Metrics", wire.Func(func(e *wire.Encoder) {
		e.Message(1, pids(&s.Pids))
		e.Message(2, cpuV2(&s.CPU))
		e.Message(4, memoryV2(&s.Memory))
		if len(s.RDMA) > 0 {
			e.Message(5, rdma(s.RDMA))
		}
		e.Message(6, ioV2(&s.IO))
		for i := range s.Hugetlb {
			e.Message(7, hugetlbV2(&s.Hugetlb[i]))
		}
		e.Message(8, memoryEvents(&s.Memory.Events))
	}))
}

// µs makes microseconds of nanoseconds.
func µs(ns uint64) uint64 { return ns / 1000 }

func cpuV2(c *cgroup.CPUStats) wire.Func {
	return func(e *wire.Encoder) {
		e.Uint(1, µs(c.Usage))
		e.Uint(2, µs(c.User))
		e.Uint(3, µs(c.System))
		e.Uint(4, c.Periods)
		e.Uint(5, c.ThrottledPeriods)
		e.Uint(6, µs(c.ThrottledTime))
		pressure(e, 7, c.Pressure)
		e.Uint(8, c.Bursts)
		e.Uint(9, µs(c.BurstTime))
	}
}

// memoryV2Fields are the fields of MemoryStat from 1 on: counters of memory.stat.
var memoryV2Fields = [...]string{"anon", "file", "kernel_stack", "slab", "sock", "shmem", "file_mapped", "file_dirty",
	"file_writeback", "anon_thp", "inactive_anon", "active_anon", "inactive_file", "active_file", "unevictable",
	"slab_reclaimable", "slab_unreclaimable", "pgfault", "pgmajfault", "workingset_refault", "workingset_activate",
	"workingset_nodereclaim", "pgrefill", "pgscan", "pgsteal", "pgactivate", "pgdeactivate", "pglazyfree", "pglazyfreed",
	"thp_fault_alloc", "thp_collapse_alloc"}

func memoryV2(m *cgroup.MemoryStats) wire.Func {
	return func(e *wire.Encoder) {
		counters(e, m.Stat, memoryV2Fields[:])
		e.Uint(32, m.Usage.Current)
		e.Uint(33, m.Usage.Limit)
		e.Uint(34, m.SwapOnly.Current)
		e.Uint(35, m.SwapOnly.Limit)
		e.Uint(36, m.Usage.Max)
		e.Uint(37, m.SwapOnly.Max)
		pressure(e, 38, m.Pressure)
	}
}

func memoryEvents(m *cgroup.MemoryEvents) wire.Func {
	return func(e *wire.Encoder) {
		for i, n := range [...]uint64{m.Low, m.High, m.Max, m.OOM, m.OOMKill} {
			e.Uint(i+1, n)
		}
	}
}

func hugetlbV2(h *cgroup.HugetlbStats) wire.Func {
	return func(e *wire.Encoder) {
		e.Uint(1, h.Usage.Current)
		e.Uint(2, h.Usage.Limit)
		e.String(3, h.PageSize)
		e.Uint(4, h.Usage.Failed)
	}
}

// ioV2 writes a line for each device.
func ioV2(s *cgroup.IOStats) wire.Func {
	type device struct{ major, minor uint64 }
	type line struct{ rbytes, wbytes, rios, wios uint64 }
	lines, order := map[device]*line{}, []device(nil)
	add := func(list []cgroup.IOCount, read, write func(*line) *uint64) {
		for _, c := range list {
			d := device{c.Major, c.Minor}
			if lines[d] == nil {
				lines[d], order = &line{}, append(order, d)
			}
			switch c.Op {
			case "Read":
				*read(lines[d]) = c.Value
			case "Write":
				*write(lines[d]) = c.Value
			}
		}
	}
	add(s.Bytes, func(l *line) *uint64 { return &l.rbytes }, func(l *line) *uint64 { return &l.wbytes })
	add(s.Operations, func(l *line) *uint64 { return &l.rios }, func(l *line) *uint64 { return &l.wios })
	return func(e *wire.Encoder) {
		for _, d := range order {
			l := lines[d]
			e.Message(1, wire.Func(func(e *wire.Encoder) {
				for i, n := range [...]uint64{d.major, d.minor, l.rbytes, l.wbytes, l.rios, l.wios} {
					e.Uint(i+1, n)
				}
			}))
		}
		pressure(e, 2, s.Pressure)
	}
}

func pressure(e *wire.Encoder, field int, p *cgroup.Pressure) {
	if p == nil {
		return
	}
	e.Message(field, wire.Func(func(e *wire.Encoder) {
		e.Message(1, stall(&p.Some))
		e.Message(2, stall(&p.Full))
	}))
}

func stall(s *cgroup.Stall) wire.Func {
	return func(e *wire.Encoder) {
		e.Double(1, s.Avg10)
		e.Double(2, s.Avg60)
		e.Double(3, s.Avg300)
		e.Uint(4, s.Total)
	}
}
