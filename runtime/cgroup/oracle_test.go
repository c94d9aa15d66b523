package cgroup_test

// The tests of this file read back what Create wrote with another library,
// github.com/containerd/cgroups. They are behind a build tag until go.sum has
// that library's own dependencies.

import (
	"slices"
	"testing"

	"github.com/containerd/cgroups/v3/cgroup1"
	"github.com/containerd/cgroups/v3/cgroup2"
	"github.com/containerd/cgroups/v3/cgroup2/stats"
	"github.com/dhow-containers/dhow/runtime/cgroup"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

func TestHostOracleV1(t *testing.T) {
	needRoot(t)
	h := detect(t)
	if h.V1["memory"] == "" || h.V1["pids"] == "" || h.V1["cpu"] == "" {
		t.Skip("needs cgroup v1 with memory, pids and cpu")
	}
	path, limit := newPath(), int64(96<<20)
	g := create(t, h, path, &specs.LinuxResources{
		Memory: &specs.LinuxMemory{Limit: &limit, Swap: ptr(2 * limit)},
		Pids:   &specs.LinuxPids{Limit: ptr(int64(33))},
		CPU:    &specs.LinuxCPU{Quota: ptr(int64(50000)), Period: ptr(uint64(100000))},
	})
	p := start(t, g, "echo")
	p.line()
	oracle, err := cgroup1.Load(cgroup1.StaticPath(path))
	if err != nil {
		t.Fatal(err)
	}
	stat, err := oracle.Stat(cgroup1.IgnoreNotExist)
	if err != nil {
		t.Fatal(err)
	}
	if m := stat.Memory; m.Usage.Limit != uint64(limit) || m.Swap.Limit != uint64(2*limit) || m.Usage.Usage == 0 {
		t.Errorf("memory %v, swap %v", m.Usage, m.Swap)
	}
	if stat.Pids.Limit != 33 || stat.Pids.Current == 0 {
		t.Errorf("pids %v", stat.Pids)
	}
	processes, err := oracle.Processes(cgroup1.Pids, true)
	if err != nil || len(processes) != 1 || processes[0].Pid != p.cmd.Process.Pid {
		t.Errorf("processes %v, error %v", processes, err)
	}
}

func TestHostOracleV2(t *testing.T) {
	needRoot(t)
	h := detect(t)
	if h.Mode != cgroup.Unified {
		t.Skip("needs a unified host")
	}
	path := newPath()
	g := create(t, h, path, &specs.LinuxResources{HugepageLimits: []specs.LinuxHugepageLimit{{Pagesize: "2MB", Limit: 8 << 20}}})
	p := start(t, g, "echo")
	p.line()
	oracle, err := cgroup2.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	pids, err := oracle.Procs(true)
	if err != nil || !slices.Equal(pids, []uint64{uint64(p.cmd.Process.Pid)}) {
		t.Errorf("pids %v, error %v", pids, err)
	}
	if err := g.Freeze(); err != nil {
		t.Fatal(err)
	}
	stat, err := oracle.Stat()
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(stat.Hugetlb, func(s *stats.HugeTlbStat) bool { return s.Pagesize == "2MB" })
	if i < 0 || stat.Hugetlb[i].Max != 8<<20 {
		t.Errorf("hugetlb %v", stat.Hugetlb)
	}
}
