package cgroup_test

import (
	"errors"
	"io/fs"
	"maps"
	"strings"
	"testing"

	"github.com/containerd/cgroups/v3/cgroup1"
	"github.com/containerd/cgroups/v3/cgroup2"
	"github.com/dhow-containers/dhow/runtime/cgroup"
	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

func TestHostStats(t *testing.T) {
	views(t, func(t *testing.T, h *cgroup.Host) {
		g := create(t, h, newPath(), &specs.LinuxResources{})
		start(t, g, "echo").line()
		s, err := g.Stats()
		if err != nil {
			t.Fatal(err)
		}
		if s.Pids.Current == 0 {
			t.Errorf("pids: %+v", s.Pids)
		}
		if (h.V2Root != "" || h.V1["cpuacct"] != "") && s.CPU.Usage == 0 {
			t.Errorf("cpu: %+v", s.CPU)
		}
		if h.V1["memory"] != "" && (s.Memory.Usage.Current == 0 || s.Memory.Get("cache")+s.Memory.Get("rss") == 0 || s.Memory.Usage.Limit == 0) {
			t.Errorf("memory: %+v", s.Memory)
		}
		if err := g.Kill(unix.SIGKILL); err != nil {
			t.Fatal(err)
		}
		if err := g.Delete(); err != nil {
			t.Fatal(err)
		}
		if s, err := g.Stats(); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("of a group that is gone: %+v, %v", s, err)
		}
	})
}

// TestHostOracleStatsV1 compares with what containerd's library reads of the same group.
func TestHostOracleStatsV1(t *testing.T) {
	needRoot(t)
	h := detect(t)
	if h.V1["memory"] == "" || h.V1["pids"] == "" || h.V1["cpuacct"] == "" {
		t.Skip("needs cgroup v1 with memory, pids and cpuacct")
	}
	path, limit := newPath(), int64(96<<20)
	g := create(t, h, path, &specs.LinuxResources{
		Memory: &specs.LinuxMemory{Limit: &limit, Swap: ptr(2 * limit)},
		Pids:   &specs.LinuxPids{Limit: ptr(int64(33))},
		CPU:    &specs.LinuxCPU{Quota: ptr(int64(50000)), Period: ptr(uint64(100000))},
	})
	start(t, g, "echo").line()
	if err := g.Freeze(); err != nil { // so that both read the same
		t.Fatal(err)
	}
	oracle, err := cgroup1.Load(cgroup1.StaticPath(path))
	if err != nil {
		t.Fatal(err)
	}
	want, err := oracle.Stat(cgroup1.IgnoreNotExist)
	if err != nil {
		t.Fatal(err)
	}
	got, err := g.Stats()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name      string
		got, want uint64
	}{
		{"cpu total", got.CPU.Usage, want.CPU.Usage.Total}, {"cpu kernel", got.CPU.System, want.CPU.Usage.Kernel},
		{"cpu user", got.CPU.User, want.CPU.Usage.User}, {"first cpu", got.CPU.PerCPU[0], want.CPU.Usage.PerCPU[0]},
		{"periods", got.CPU.Periods, want.CPU.Throttling.Periods}, {"throttled", got.CPU.ThrottledTime, want.CPU.Throttling.ThrottledTime},
		{"memory usage", got.Memory.Usage.Current, want.Memory.Usage.Usage}, {"memory max", got.Memory.Usage.Max, want.Memory.Usage.Max},
		{"memory limit", got.Memory.Usage.Limit, want.Memory.Usage.Limit}, {"memsw limit", got.Memory.Swap.Limit, want.Memory.Swap.Limit},
		{"kmem", got.Memory.Kernel.Current, want.Memory.Kernel.Usage}, {"cache", got.Memory.Cache, want.Memory.Cache},
		{"rss", got.Memory.Get("rss"), want.Memory.RSS}, {"total_pgfault", got.Memory.Get("total_pgfault"), want.Memory.TotalPgFault},
		{"pids", got.Pids.Current, want.Pids.Current}, {"pids limit", got.Pids.Limit, want.Pids.Limit},
		{"oom kills", got.Memory.Events.OOMKill, want.MemoryOomControl.OomKill},
	} {
		if !alike(c.name, c.got, c.want) {
			t.Errorf("%s: %d, containerd reads %d", c.name, c.got, c.want)
		}
	}
}

// TestHostOracleStatsV2 is the same in version 2, with the controllers that the host has there.
func TestHostOracleStatsV2(t *testing.T) {
	needRoot(t)
	h := detect(t)
	if h.Mode != cgroup.Unified {
		t.Skip("needs a unified host")
	}
	r := &specs.LinuxResources{}
	controllers := strings.Fields(read(t, h.V2Root+"/cgroup.controllers"))
	for _, c := range controllers {
		switch c {
		case "memory":
			r.Memory = &specs.LinuxMemory{Limit: ptr(int64(96 << 20)), Swap: ptr(int64(128 << 20))}
		case "pids":
			r.Pids = &specs.LinuxPids{Limit: ptr(int64(33))}
		case "hugetlb":
			r.HugepageLimits = []specs.LinuxHugepageLimit{{Pagesize: "2MB", Limit: 8 << 20}}
		}
	}
	path := newPath()
	g := create(t, h, path, r)
	start(t, g, "echo").line()
	if err := g.Freeze(); err != nil {
		t.Fatal(err)
	}
	oracle, err := cgroup2.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	want, err := oracle.Stat()
	if err != nil {
		t.Fatal(err)
	}
	got, err := g.Stats()
	if err != nil {
		t.Fatal(err)
	}
	type pair struct {
		name      string
		got, want uint64
	}
	pairs := []pair{
		{"cpu", got.CPU.Usage, want.CPU.UsageUsec * 1000}, {"cpu user", got.CPU.User, want.CPU.UserUsec * 1000},
		{"cpu system", got.CPU.System, want.CPU.SystemUsec * 1000},
	}
	if r.Pids != nil {
		pairs = append(pairs, pair{"pids", got.Pids.Current, want.Pids.Current}, pair{"pids limit", got.Pids.Limit, want.Pids.Limit})
	}
	if r.Memory != nil {
		pairs = append(pairs, pair{"memory", got.Memory.Usage.Current, want.Memory.Usage}, pair{"memory limit", got.Memory.Usage.Limit, want.Memory.UsageLimit},
			pair{"swap limit", got.Memory.SwapOnly.Limit, want.Memory.SwapLimit}, pair{"anon", got.Memory.Get("anon"), want.Memory.Anon},
			pair{"file", got.Memory.Cache, want.Memory.File}, pair{"oom kills", got.Memory.Events.OOMKill, want.MemoryEvents.OomKill})
	}
	for _, c := range pairs {
		if !alike(c.name, c.got, c.want) {
			t.Errorf("%s: %d, containerd reads %d", c.name, c.got, c.want)
		}
	}
	if r.HugepageLimits != nil && (len(got.Hugetlb) != len(want.Hugetlb) || got.Hugetlb[0].PageSize != "2MB" || got.Hugetlb[0].Usage.Limit != 8<<20) {
		t.Errorf("hugetlb %+v, containerd reads %v", got.Hugetlb, want.Hugetlb)
	}
}

// alike allows for what the kernel gives back meanwhile of a CPU's reserve of charged pages.
func alike(name string, a, b uint64) bool {
	const reserve = 1 << 20
	return a == b || strings.Contains(name, "mem") && max(a, b)-min(a, b) <= reserve
}

func TestHostOOMWatch(t *testing.T) {
	views(t, func(t *testing.T, h *cgroup.Host) {
		has(t, h, "memory")
		limit := int64(48 << 20)
		g := create(t, h, newPath(), &specs.LinuxResources{Memory: &specs.LinuxMemory{Limit: &limit, Swap: &limit}})
		w, err := g.WatchOOM()
		if err != nil {
			t.Fatal(err)
		}
		defer w.Close()
		if happened, err := w.Happened(); happened || err != nil {
			t.Errorf("before: %v, %v", happened, err)
		}
		p := start(t, g, "alloc")
		if !polled(t, w) {
			t.Error("no notification")
		}
		if got := p.signal(t); got != unix.SIGKILL {
			t.Errorf("ended by %v", got)
		}
		if happened, err := w.Happened(); !happened || err != nil {
			t.Errorf("after: %v, %v", happened, err)
		}
		if s, err := g.Stats(); err != nil || s.Memory.Events.OOMKill != 1 {
			t.Errorf("counted %+v, %v", s, err)
		}
		if err := g.Delete(); err != nil {
			t.Fatal(err)
		}
		if !polled(t, w) {
			t.Error("no notification of the end")
		}
		if _, err := w.Happened(); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("of a group that is gone: %v", err)
		}
	})
}

func polled(t *testing.T, w *cgroup.OOMWatch) bool {
	t.Helper()
	fds := []unix.PollFd{w.Poll()}
	for {
		n, err := unix.Poll(fds, 10_000)
		if err != unix.EINTR {
			return err == nil && n == 1
		}
	}
}

func TestHostOOMWatchWithoutController(t *testing.T) {
	needRoot(t)
	h := detect(t)
	if h.V2Root == "" || strings.Contains(read(t, h.V2Root+"/cgroup.controllers"), "memory") {
		t.Skip("needs a version 2 tree without the memory controller")
	}
	paths := maps.Clone(create(t, h, newPath(), &specs.LinuxResources{}).Paths)
	delete(paths, "memory")
	g := cgroup.Open(paths)
	var missing interface{ NotImplemented() }
	if _, err := g.WatchOOM(); !errors.As(err, &missing) {
		t.Errorf("got %v", err)
	}
}

func BenchmarkStats(b *testing.B) {
	needRoot(b)
	g := create(b, detect(b), newPath(), &specs.LinuxResources{})
	b.ReportAllocs()
	for b.Loop() {
		if _, err := g.Stats(); err != nil {
			b.Fatal(err)
		}
	}
}
