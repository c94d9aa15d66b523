package metrics_test

import (
	"testing"

	v1 "github.com/containerd/cgroups/v3/cgroup1/stats"
	v2 "github.com/containerd/cgroups/v3/cgroup2/stats"
	"google.golang.org/protobuf/proto"

	"github.com/dhow-containers/dhow/runtime/cgroup"
	"github.com/dhow-containers/dhow/shim/metrics"
)

// stats has a number of its own in every place.
func stats() *cgroup.Stats {
	s := &cgroup.Stats{}
	s.CPU = cgroup.CPUStats{Usage: 1000, User: 2000, System: 3000, PerCPU: []uint64{400, 0, 600}, Periods: 4, ThrottledPeriods: 5,
		ThrottledTime: 6000, Bursts: 7, BurstTime: 8000, Pressure: &cgroup.Pressure{Some: cgroup.Stall{Avg10: 1.5, Total: 9}}}
	s.Memory = cgroup.MemoryStats{Usage: cgroup.Usage{Current: 10, Max: 11, Limit: 12, Failed: 13}, Swap: cgroup.Usage{Current: 14, Limit: 15},
		SwapOnly: cgroup.Usage{Current: 16, Limit: cgroup.NoLimit, Max: 18}, Kernel: cgroup.Usage{Current: 19},
		Stat:   []cgroup.Counter{{Name: "cache", Value: 20}, {Name: "total_unevictable", Value: 21}, {Name: "anon", Value: 22}, {Name: "thp_collapse_alloc", Value: 23}, {Name: "pgfault", Value: 24}},
		Events: cgroup.MemoryEvents{Low: 25, High: 26, Max: 27, OOM: 28, OOMKill: 29}}
	s.Pids = cgroup.PidsStats{Current: 30, Limit: 31}
	s.IO.Bytes = []cgroup.IOCount{{Major: 8, Op: "Read", Value: 32}, {Major: 8, Op: "Write", Value: 33}, {Major: 9, Minor: 1, Op: "Write", Value: 34}}
	s.IO.Operations = []cgroup.IOCount{{Major: 8, Op: "Read", Value: 35}}
	s.IO.Sectors = []cgroup.IOCount{{Major: 8, Value: 36}}
	s.Hugetlb = []cgroup.HugetlbStats{{PageSize: "2MB", Usage: cgroup.Usage{Current: 37, Max: 38, Limit: 39, Failed: 40}}}
	s.RDMA = []cgroup.RDMAStats{{Device: "mlx", Handles: 41, Objects: 42, HandlesLimit: 43, ObjectsLimit: 44}}
	return s
}

type want struct {
	what      string
	got, want uint64
}

func check(t *testing.T, list []want) {
	t.Helper()
	for _, w := range list {
		if w.got != w.want {
			t.Errorf("%s: got %d, want %d", w.what, w.got, w.want)
		}
	}
}

// TestV1 reads the message with containerd's own types.
func TestV1(t *testing.T) {
	a := metrics.V1(stats())
	var m v1.Metrics
	if err := proto.Unmarshal(a.Value, &m); err != nil || a.URL != "io.containerd.cgroups.v1.Metrics" {
		t.Fatal(a.URL, err)
	}
	if len(m.ProtoReflect().GetUnknown()) > 0 {
		t.Error("unknown fields")
	}
	check(t, []want{
		{"cpu", m.CPU.Usage.Total, 1000}, {"kernel", m.CPU.Usage.Kernel, 3000}, {"user", m.CPU.Usage.User, 2000}, {"per cpu", m.CPU.Usage.PerCPU[2], 600},
		{"periods", m.CPU.Throttling.Periods, 4}, {"throttled", m.CPU.Throttling.ThrottledPeriods, 5}, {"time", m.CPU.Throttling.ThrottledTime, 6000},
		{"usage", m.Memory.Usage.Usage, 10}, {"max", m.Memory.Usage.Max, 11}, {"limit", m.Memory.Usage.Limit, 12}, {"failed", m.Memory.Usage.Failcnt, 13},
		{"swap", m.Memory.Swap.Usage, 14}, {"kernel memory", m.Memory.Kernel.Usage, 19}, {"cache", m.Memory.Cache, 20},
		{"unevictable", m.Memory.TotalUnevictable, 21}, {"pgfault", m.Memory.PgFault, 24}, {"oom", m.MemoryOomControl.OomKill, 29},
		{"pids", m.Pids.Current, 30}, {"pids limit", m.Pids.Limit, 31}, {"written", m.Blkio.IoServiceBytesRecursive[2].Value, 34},
		{"minor", m.Blkio.IoServiceBytesRecursive[2].Minor, 1}, {"reads", m.Blkio.IoServicedRecursive[0].Value, 35}, {"sectors", m.Blkio.SectorsRecursive[0].Value, 36},
		{"hugetlb", m.Hugetlb[0].Usage, 37}, {"hugetlb max", m.Hugetlb[0].Max, 38}, {"hugetlb failed", m.Hugetlb[0].Failcnt, 40},
		{"rdma", uint64(m.Rdma.Current[0].HcaHandles), 41}, {"rdma limit", uint64(m.Rdma.Limit[0].HcaObjects), 44},
	})
}

// TestV2 reads the message with containerd's own types.
func TestV2(t *testing.T) {
	a := metrics.V2(stats())
	var m v2.Metrics
	if err := proto.Unmarshal(a.Value, &m); err != nil || a.URL != "io.containerd.cgroups.v2.Metrics" {
		t.Fatal(a.URL, err)
	}
	if len(m.ProtoReflect().GetUnknown()) > 0 {
		t.Error("unknown fields")
	}
	check(t, []want{
		{"cpu", m.CPU.UsageUsec, 1}, {"user", m.CPU.UserUsec, 2}, {"system", m.CPU.SystemUsec, 3}, {"periods", m.CPU.NrPeriods, 4},
		{"throttled", m.CPU.NrThrottled, 5}, {"time", m.CPU.ThrottledUsec, 6}, {"bursts", m.CPU.NrBursts, 7}, {"burst time", m.CPU.BurstUsec, 8},
		{"pressure", m.CPU.PSI.Some.Total, 9}, {"avg10", uint64(m.CPU.PSI.Some.Avg10 * 10), 15},
		{"usage", m.Memory.Usage, 10}, {"limit", m.Memory.UsageLimit, 12}, {"max", m.Memory.MaxUsage, 11}, {"swap", m.Memory.SwapUsage, 16},
		{"swap limit", m.Memory.SwapLimit, cgroup.NoLimit}, {"anon", m.Memory.Anon, 22}, {"thp", m.Memory.ThpCollapseAlloc, 23}, {"pgfault", m.Memory.Pgfault, 24},
		{"low", m.MemoryEvents.Low, 25}, {"oom kill", m.MemoryEvents.OomKill, 29}, {"pids", m.Pids.Current, 30},
		{"read", m.Io.Usage[0].Rbytes, 32}, {"written", m.Io.Usage[0].Wbytes, 33}, {"reads", m.Io.Usage[0].Rios, 35}, {"other", m.Io.Usage[1].Wbytes, 34}, {"minor", m.Io.Usage[1].Minor, 1},
		{"hugetlb", m.Hugetlb[0].Current, 37}, {"hugetlb max", m.Hugetlb[0].Max, 39}, {"hugetlb failed", m.Hugetlb[0].Failcnt, 40}, {"rdma", uint64(m.Rdma.Current[0].HcaObjects), 42},
	})
}

func TestEmpty(t *testing.T) {
	var a v1.Metrics
	var b v2.Metrics
	if err := proto.Unmarshal(metrics.V1(&cgroup.Stats{}).Value, &a); err != nil || a.CPU == nil || a.Memory == nil {
		t.Error(err)
	}
	if err := proto.Unmarshal(metrics.V2(&cgroup.Stats{}).Value, &b); err != nil || b.CPU == nil || b.Memory == nil {
		t.Error(err)
	}
}
