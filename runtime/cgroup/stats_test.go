package cgroup_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/dhow-containers/dhow/runtime/cgroup"
)

// group makes a directory with the files of a group.
func group(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(dir+"/cgroup.procs", []byte("17\n18\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

const noPressure = "some avg10=0.00 avg60=0.00 avg300=0.00 total=0\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=0\n"

// filesV2 are those of a kernel of 6.x.
func filesV2() map[string]string {
	return map[string]string{
		"cpu.stat":            "usage_usec 30\nuser_usec 20\nsystem_usec 10\nnice_usec 0\nnr_periods 9\nnr_throttled 8\nthrottled_usec 7\nnr_bursts 6\nburst_usec 5\n",
		"cpu.pressure":        "some avg10=1.50 avg60=0.25 avg300=0.10 total=123456\nfull avg10=0.50 avg60=0.00 avg300=0.00 total=99\n",
		"io.pressure":         noPressure,
		"memory.stat":         "anon 4096\nfile 8192\nslab -3\n",
		"memory.current":      "20480\n",
		"memory.peak":         "40960\n",
		"memory.max":          "67108864\n",
		"memory.swap.current": "1024\n",
		"memory.swap.peak":    "2048\n",
		"memory.swap.max":     "1048576\n",
		"memory.events":       "low 1\nhigh 2\nmax 3\noom 4\noom_kill 5\noom_group_kill 6\n",
		"pids.current":        "3\n",
		"pids.max":            "max\n",
		"io.stat":             "8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=0 dios=0 cost.usage=5\n253:16 \n(unknown) rbytes=1\n7:1 rbytes=9\n",
		"rdma.current":        "mlx4_0 hca_handle=2 hca_object=2000\n",
		"rdma.max":            "mlx4_0 hca_handle=max hca_object=3000\n",
	}
}

func TestStatsV2(t *testing.T) {
	s, err := cgroup.StatsBelow(map[string]string{"": group(t, filesV2())})
	if err != nil {
		t.Fatal(err)
	}
	want := &cgroup.Stats{
		CPU: cgroup.CPUStats{
			Usage: 30000, User: 20000, System: 10000, Periods: 9, ThrottledPeriods: 8, ThrottledTime: 7000, Bursts: 6, BurstTime: 5000,
			Pressure: &cgroup.Pressure{
				Some: cgroup.Stall{Avg10: 1.5, Avg60: 0.25, Avg300: 0.1, Total: 123456}, Full: cgroup.Stall{Avg10: 0.5, Total: 99},
			},
		},
		Memory: cgroup.MemoryStats{
			Usage:    cgroup.Usage{Current: 20480, Max: 40960, Limit: 64 << 20},
			SwapOnly: cgroup.Usage{Current: 1024, Max: 2048, Limit: 1 << 20},
			Swap:     cgroup.Usage{Current: 21504, Limit: 65 << 20},
			Cache:    8192,
			Stat:     []cgroup.Counter{{Name: "anon", Value: 4096}, {Name: "file", Value: 8192}, {Name: "slab", Value: 0}},
			Events:   cgroup.MemoryEvents{Low: 1, High: 2, Max: 3, OOM: 4, OOMKill: 5},
		},
		Pids: cgroup.PidsStats{Current: 3},
		IO: cgroup.IOStats{
			Bytes:      []cgroup.IOCount{{Major: 8, Op: "Read", Value: 1}, {Major: 8, Op: "Write", Value: 2}, {Major: 7, Minor: 1, Op: "Read", Value: 9}},
			Operations: []cgroup.IOCount{{Major: 8, Op: "Read", Value: 3}, {Major: 8, Op: "Write", Value: 4}},
			Pressure:   &cgroup.Pressure{},
		},
		RDMA: []cgroup.RDMAStats{{Device: "mlx4_0", Handles: 2, Objects: 2000, HandlesLimit: 1<<32 - 1, ObjectsLimit: 3000}},
	}
	if !reflect.DeepEqual(s, want) {
		t.Errorf("got  %+v\nwant %+v", s, want)
	}
}

// A group without controllers has the CPU time and its processes all the same.
func TestStatsV2WithoutControllers(t *testing.T) {
	s, err := cgroup.StatsBelow(map[string]string{"": group(t, map[string]string{"cpu.stat": "usage_usec 1\n"})})
	want := &cgroup.Stats{CPU: cgroup.CPUStats{Usage: 1000}, Pids: cgroup.PidsStats{Current: 2}}
	if err != nil || !reflect.DeepEqual(s, want) {
		t.Errorf("got %+v, %v", s, err)
	}
}

func TestStatsV2Swap(t *testing.T) {
	for _, c := range []struct{ memory, swap string }{{"max", "max"}, {"1", "max"}, {"max", "1"}} {
		files := filesV2()
		files["memory.max"], files["memory.swap.max"] = c.memory+"\n", c.swap+"\n"
		s, err := cgroup.StatsBelow(map[string]string{"": group(t, files)})
		if err != nil || s.Memory.Swap.Limit != cgroup.NoLimit {
			t.Errorf("memory %s, swap %s: limit %d, %v", c.memory, c.swap, s.Memory.Swap.Limit, err)
		}
	}
}

// filesV1 are the files of all controllers, as if they were mounted together.
func filesV1() map[string]string {
	files := map[string]string{
		"cpuset.cpus": "0-2,5\n", "cpuset.mems": "0\n", "cpuset.sched_load_balance": "1\n", "cpuset.sched_relax_domain_level": "-1\n",
		"cpuset.cpu_exclusive": "0\n", "cpuset.memory_pressure": "7\n",
		"memory.stat": "cache 8192\nrss 4096\n", "memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n",
		"cpu.stat":     "nr_periods 9\nnr_throttled 8\nthrottled_time 7000\nnr_bursts 0\nburst_time 0\n",
		"cpuacct.stat": "user 3\nsystem 4\n", "cpuacct.usage": "75000000\n", "cpuacct.usage_percpu": "50000000 25000000 \n",
		"cpuacct.usage_all": "cpu user system\n0 20000000 30000000\n1 10000000 15000000\n",
		"pids.current":      "4\n", "pids.max": "100\n",
		"blkio.throttle.io_serviced_recursive":      "8:0 Read 3\n8:0 Write 4\n8:0 Total 7\nTotal 7\n",
		"blkio.throttle.io_service_bytes_recursive": "8:0 Read 12288\nTotal 12288\n",
		"blkio.bfq.io_serviced_recursive":           "Total 0\n", "blkio.bfq.io_service_bytes_recursive": "Total 0\n",
	}
	for i, counter := range []string{"memory", "memory.memsw", "memory.kmem", "memory.kmem.tcp"} {
		n := string(rune('1' + i))
		files[counter+".usage_in_bytes"], files[counter+".max_usage_in_bytes"] = n+"000\n", n+"001\n"
		files[counter+".limit_in_bytes"], files[counter+".failcnt"] = "9223372036854771712\n", n+"\n"
	}
	return files
}

func pathsV1(dir string) map[string]string {
	paths := map[string]string{}
	for _, c := range []string{"cpuset", "memory", "cpu", "cpuacct", "pids", "blkio", "hugetlb", "rdma"} {
		paths[c] = dir
	}
	return paths
}

func TestStatsV1(t *testing.T) {
	s, err := cgroup.StatsBelow(pathsV1(group(t, filesV1())))
	if err != nil {
		t.Fatal(err)
	}
	const most = 9223372036854771712
	want := &cgroup.Stats{
		CPU: cgroup.CPUStats{
			Usage: 75e6, User: 30e6, System: 40e6, Periods: 9, ThrottledPeriods: 8, ThrottledTime: 7000,
			PerCPU: []uint64{50e6, 25e6}, PerCPUUser: []uint64{20e6, 10e6}, PerCPUSystem: []uint64{30e6, 15e6},
		},
		CPUSet: cgroup.CPUSetStats{CPUs: []uint16{0, 1, 2, 5}, Mems: []uint16{0}, SchedLoadBalance: 1, SchedRelaxDomainLevel: -1, MemoryPressure: 7},
		Memory: cgroup.MemoryStats{
			Usage:     cgroup.Usage{Current: 1000, Max: 1001, Limit: most, Failed: 1},
			Swap:      cgroup.Usage{Current: 2000, Max: 2001, Limit: most, Failed: 2},
			SwapOnly:  cgroup.Usage{Current: 1000, Failed: 1},
			Kernel:    cgroup.Usage{Current: 3000, Max: 3001, Limit: most, Failed: 3},
			KernelTCP: cgroup.Usage{Current: 4000, Max: 4001, Limit: most, Failed: 4},
			Cache:     8192,
			Stat:      []cgroup.Counter{{Name: "cache", Value: 8192}, {Name: "rss", Value: 4096}},
			Events:    cgroup.MemoryEvents{OOMKill: 2},
		},
		Pids: cgroup.PidsStats{Current: 4, Limit: 100},
		IO: cgroup.IOStats{
			Operations: []cgroup.IOCount{{Major: 8, Op: "Read", Value: 3}, {Major: 8, Op: "Write", Value: 4}, {Major: 8, Op: "Total", Value: 7}},
			Bytes:      []cgroup.IOCount{{Major: 8, Op: "Read", Value: 12288}},
		},
	}
	if !reflect.DeepEqual(s, want) {
		t.Errorf("got  %+v\nwant %+v", s, want)
	}
}

// The files of BFQ, when they say something, go before those of the throttling layer.
func TestStatsV1BFQ(t *testing.T) {
	files := filesV1()
	files["blkio.bfq.io_serviced_recursive"] = "253:16 Read 5\n253:16 Discard 1\nTotal 6\n"
	files["blkio.bfq.io_service_bytes_recursive"] = "253:16 Read 20480\nTotal 20480\n"
	files["blkio.bfq.sectors_recursive"] = "253:16 40\n"
	s, err := cgroup.StatsBelow(pathsV1(group(t, files)))
	if err != nil {
		t.Fatal(err)
	}
	want := cgroup.IOStats{
		Operations: []cgroup.IOCount{{Major: 253, Minor: 16, Op: "Read", Value: 5}, {Major: 253, Minor: 16, Op: "Discard", Value: 1}},
		Bytes:      []cgroup.IOCount{{Major: 253, Minor: 16, Op: "Read", Value: 20480}},
		Sectors:    []cgroup.IOCount{{Major: 253, Minor: 16, Value: 40}},
	}
	if !reflect.DeepEqual(s.IO, want) {
		t.Errorf("got %+v", s.IO)
	}
}

// Each controller is read where it is; pressure is of version 2 alone.
func TestStatsHybrid(t *testing.T) {
	one, two := group(t, filesV1()), filesV2()
	paths := map[string]string{"": group(t, two), "memory": one, "cpuacct": one}
	s, err := cgroup.StatsBelow(paths)
	if err != nil {
		t.Fatal(err)
	}
	if s.CPU.Usage != 75e6 || s.Memory.Usage.Current != 1000 || s.Pids.Current != 3 || len(s.IO.Bytes) != 3 || s.CPU.Pressure.Some.Avg10 != 1.5 {
		t.Errorf("got %+v", s)
	}
}

func TestStatsHugetlb(t *testing.T) {
	sizes, err := filepath.Glob("/sys/kernel/mm/hugepages/hugepages-2048kB")
	if err != nil || len(sizes) == 0 {
		t.Skip("needs huge pages of 2 MiB")
	}
	v1 := group(t, map[string]string{
		"hugetlb.2MB.rsvd.usage_in_bytes": "4194304\n", "hugetlb.2MB.rsvd.max_usage_in_bytes": "6291456\n",
		"hugetlb.2MB.rsvd.limit_in_bytes": "8388608\n", "hugetlb.2MB.rsvd.failcnt": "3\n", "hugetlb.2MB.usage_in_bytes": "9\n",
	})
	old := group(t, map[string]string{
		"hugetlb.2MB.usage_in_bytes": "4194304\n", "hugetlb.2MB.max_usage_in_bytes": "6291456\n",
		"hugetlb.2MB.limit_in_bytes": "8388608\n", "hugetlb.2MB.failcnt": "3\n",
	})
	v2 := group(t, map[string]string{"hugetlb.2MB.rsvd.current": "4194304\n", "hugetlb.2MB.rsvd.max": "8388608\n", "hugetlb.2MB.events": "max 3\n"})
	usage := cgroup.Usage{Current: 4 << 20, Limit: 8 << 20, Failed: 3}
	for name, c := range map[string]struct {
		paths map[string]string
		max   uint64
	}{"v1": {map[string]string{"hugetlb": v1}, 6 << 20}, "before 5.7": {map[string]string{"hugetlb": old}, 6 << 20}, "v2": {map[string]string{"": v2}, 0}} {
		want := usage
		want.Max = c.max
		s, err := cgroup.StatsBelow(c.paths)
		if err != nil || len(s.Hugetlb) != 1 || s.Hugetlb[0] != (cgroup.HugetlbStats{PageSize: "2MB", Usage: want}) {
			t.Errorf("%s: %+v, %v", name, s.Hugetlb, err)
		}
	}
}

// Content that makes no sense is an error with the file's name in it.
func TestStatsBadFiles(t *testing.T) {
	for name, text := range map[string]string{
		"cpu.stat": "usage_usec\n", "cpu.pressure": "some avg10=x\n", "memory.stat": "anon 1\nfile\n", "memory.current": "\n",
		"memory.max": "18446744073709551616\n", "pids.current": "many\n", "io.stat": "8:0 rbytes=x\n", "rdma.current": "m hca_handle=\n",
	} {
		files := filesV2()
		files[name] = text
		badStats(t, name, map[string]string{"": group(t, files)})
	}
	for name, text := range map[string]string{
		"cpuset.cpus": "3-1\n", "cpuset.mems": "0-99999\n", "cpuset.sched_relax_domain_level": "x\n", "cpuacct.usage_percpu": "1 x\n",
		"cpuacct.usage_all": "cpu user system\n0 1\n", "blkio.throttle.io_serviced_recursive": "8:0 Read 3 4\n",
		"memory.kmem.failcnt": "1 2\n",
	} {
		files := filesV1()
		files[name] = text
		badStats(t, name, pathsV1(group(t, files)))
	}
}

func badStats(t *testing.T, name string, paths map[string]string) {
	t.Helper()
	s, err := cgroup.StatsBelow(paths)
	if err == nil || s != nil || !strings.Contains(err.Error(), name) {
		t.Errorf("%s: got %v, %v", name, s, err)
	}
}

// A group that is gone must not look like one without controllers.
func TestStatsOfAGoneGroup(t *testing.T) {
	dir := group(t, nil)
	if err := os.Remove(dir + "/cgroup.procs"); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{dir, dir + "/none"} {
		if s, err := cgroup.StatsBelow(map[string]string{"": path}); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: got %v, %v", path, s, err)
		}
	}
}

func FuzzStats(f *testing.F) {
	for name, text := range filesV1() {
		f.Add(name, text)
	}
	for name, text := range filesV2() {
		f.Add(name, text)
	}
	dir := f.TempDir()
	paths := pathsV1(dir)
	f.Fuzz(func(t *testing.T, name, text string) {
		if name == "" || strings.ContainsAny(name, "/\x00") || name == "." || name == ".." || len(name) > 100 {
			return
		}
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		defer os.Remove(file)
		_, _ = cgroup.StatsBelow(paths)
		_, _ = cgroup.StatsBelow(map[string]string{"": dir})
	})
}
