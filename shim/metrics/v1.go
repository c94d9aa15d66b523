package metrics

import (
	"github.com/dhow-containers/dhow/runtime/cgroup"
	"github.com/dhow-containers/dhow/shim/wire"
)

// V1 is the message for a host with control groups of version 1, also beside some of version 2.
func V1(s *cgroup.Stats) *wire.Any {
	return wire.Pack("io.containerd.cgroups.v1.Metrics", wire.Func(func(e *wire.Encoder) {
		for i := range s.Hugetlb {
			e.Message(1, hugetlbV1(&s.Hugetlb[i]))
		}
		e.Message(2, pids(&s.Pids))
		e.Message(3, cpuV1(&s.CPU))
		e.Message(4, memoryV1(&s.Memory))
		e.Message(5, blkio(&s.IO))
		if len(s.RDMA) > 0 {
			e.Message(6, rdma(s.RDMA))
		}
		e.Message(9, wire.Func(func(e *wire.Encoder) { e.Uint(3, s.Memory.Events.OOMKill) }))
	}))
}

func hugetlbV1(h *cgroup.HugetlbStats) wire.Func {
	return func(e *wire.Encoder) {
		e.Uint(1, h.Usage.Current)
		e.Uint(2, h.Usage.Max)
		e.Uint(3, h.Usage.Failed)
		e.String(4, h.PageSize)
	}
}

func pids(p *cgroup.PidsStats) wire.Func {
	return func(e *wire.Encoder) {
		e.Uint(1, p.Current)
		e.Uint(2, p.Limit)
	}
}

func cpuV1(c *cgroup.CPUStats) wire.Func {
	return func(e *wire.Encoder) {
		e.Message(1, wire.Func(func(e *wire.Encoder) {
			e.Uint(1, c.Usage)
			e.Uint(2, c.System)
			e.Uint(3, c.User)
			e.Packed(4, c.PerCPU)
		}))
		e.Message(2, wire.Func(func(e *wire.Encoder) {
			e.Uint(1, c.Periods)
			e.Uint(2, c.ThrottledPeriods)
			e.Uint(3, c.ThrottledTime)
		}))
	}
}

// memoryV1Fields are the fields of MemoryStat from 1 on: counters of memory.stat.
var memoryV1Fields = [...]string{"cache", "rss", "rss_huge", "mapped_file", "dirty", "writeback", "pgpgin", "pgpgout", "pgfault",
	"pgmajfault", "inactive_anon", "active_anon", "inactive_file", "active_file", "unevictable", "hierarchical_memory_limit",
	"hierarchical_memsw_limit", "total_cache", "total_rss", "total_rss_huge", "total_mapped_file", "total_dirty", "total_writeback",
	"total_pgpgin", "total_pgpgout", "total_pgfault", "total_pgmajfault", "total_inactive_anon", "total_active_anon",
	"total_inactive_file", "total_active_file", "total_unevictable"}

func memoryV1(m *cgroup.MemoryStats) wire.Func {
	return func(e *wire.Encoder) {
		counters(e, m.Stat, memoryV1Fields[:])
		for i, u := range []*cgroup.Usage{&m.Usage, &m.Swap, &m.Kernel, &m.KernelTCP} {
			e.Message(33+i, wire.Func(func(e *wire.Encoder) {
				e.Uint(1, u.Limit)
				e.Uint(2, u.Current)
				e.Uint(3, u.Max)
				e.Uint(4, u.Failed)
			}))
		}
	}
}

// counters writes those of the kernel's counters that have a field.
func counters(e *wire.Encoder, list []cgroup.Counter, fields []string) {
	for i, name := range fields {
		for _, c := range list {
			if c.Name == name {
				e.Uint(i+1, c.Value)
			}
		}
	}
}

func blkio(s *cgroup.IOStats) wire.Func {
	return func(e *wire.Encoder) {
		for i, list := range [][]cgroup.IOCount{s.Bytes, s.Operations, s.Queued, s.ServiceTime, s.WaitTime, s.Merged, s.Time, s.Sectors} {
			for _, c := range list {
				e.Message(i+1, wire.Func(func(e *wire.Encoder) {
					e.String(1, c.Op)
					e.Uint(3, c.Major)
					e.Uint(4, c.Minor)
					e.Uint(5, c.Value)
				}))
			}
		}
	}
}

func rdma(list []cgroup.RDMAStats) wire.Func {
	return func(e *wire.Encoder) {
		for _, r := range list {
			e.Message(1, rdmaEntry(r.Device, r.Handles, r.Objects))
		}
		for _, r := range list {
			e.Message(2, rdmaEntry(r.Device, r.HandlesLimit, r.ObjectsLimit))
		}
	}
}

func rdmaEntry(device string, handles, objects uint32) wire.Func {
	return func(e *wire.Encoder) {
		e.String(1, device)
		e.Uint(2, uint64(handles))
		e.Uint(3, uint64(objects))
	}
}
