package main

import (
	"errors"
	"testing"
	"time"

	"github.com/dhow-containers/dhow/runtime/cgroup"
	"github.com/dhow-containers/dhow/runtime/container"
	"github.com/dhow-containers/dhow/runtime/resctrl"
)

func (f *fakeStore) Stats(id string) (*container.Stats, error) {
	f.did("stats", id)
	return f.stats, f.err
}

func (f *fakeStore) Events(id string, interval time.Duration, report func(container.Event) error) error {
	f.did("events", id, interval)
	for _, e := range []container.Event{{Stats: f.stats}, {}} {
		if err := report(e); err != nil {
			return err
		}
	}
	return f.err
}

// allStats has a number of its own in each field.
func allStats() *container.Stats {
	usage := func(n uint64) cgroup.Usage { return cgroup.Usage{Current: n, Max: n + 1, Limit: n + 2, Failed: n + 3} }
	count := func(n uint64) []cgroup.IOCount {
		return []cgroup.IOCount{{Major: 8, Minor: 1, Op: "Read", Value: n}, {Major: 8, Value: n + 1}}
	}
	return &container.Stats{IntelRdt: rdtStats(), Stats: &cgroup.Stats{
		CPU: cgroup.CPUStats{
			Usage: 1, User: 2, System: 3, PerCPU: []uint64{4, 5}, PerCPUUser: []uint64{6, 7}, PerCPUSystem: []uint64{8, 9},
			Periods: 10, ThrottledPeriods: 11, ThrottledTime: 12, Bursts: 13, BurstTime: 14,
			Pressure: &cgroup.Pressure{Some: cgroup.Stall{Avg10: 1.5, Avg60: 2.5, Avg300: 3.5, Total: 15}, Full: cgroup.Stall{Total: 16}},
		},
		CPUSet: cgroup.CPUSetStats{
			CPUs: []uint16{0, 1}, CPUExclusive: 17, Mems: []uint16{0}, MemHardwall: 18, MemExclusive: 19, MemoryMigrate: 20,
			MemorySpreadPage: 21, MemorySpreadSlab: 22, MemoryPressure: 23, SchedLoadBalance: 24, SchedRelaxDomainLevel: -1,
		},
		Memory: cgroup.MemoryStats{
			Usage: usage(100), Swap: usage(200), SwapOnly: usage(300), Kernel: usage(400), KernelTCP: usage(500), Cache: 25,
			Stat: []cgroup.Counter{{Name: "rss", Value: 26}, {Name: "cache", Value: 25}}, Pressure: &cgroup.Pressure{},
		},
		Pids: cgroup.PidsStats{Current: 27, Limit: 28},
		IO: cgroup.IOStats{
			Bytes: count(30), Operations: count(40), Queued: count(50), ServiceTime: count(60), WaitTime: count(70), Merged: count(80),
			Time: count(90), Sectors: count(100), Pressure: &cgroup.Pressure{},
		},
		Hugetlb: []cgroup.HugetlbStats{{PageSize: "2MB", Usage: usage(600)}, {PageSize: "1GB"}},
	}}
}

func rdtStats() *resctrl.Stats {
	return &resctrl.Stats{
		L3CacheInfo: &resctrl.L3CacheInfo{CbmMask: "fff", MinCbmBits: 1, NumClosids: 16}, L3CacheSchemaRoot: "L3:0=fff", L3CacheSchema: "L3:0=f",
		MemBwInfo: &resctrl.MemBwInfo{BandwidthGran: 10, DelayLinear: 1, MinBandwidth: 20, NumClosids: 8}, MemBwSchemaRoot: "MB:0=100", MemBwSchema: "MB:0=20",
		Schemata: []string{"L3:0=f", "MB:0=20"}, MBMStats: []resctrl.Bandwidth{{Total: 700, Local: 701}}, CMTStats: []resctrl.Occupancy{{Bytes: 702}},
	}
}

func TestEvents(t *testing.T) {
	out := expect(t, &fakeStore{stats: allStats()}, "events web", "events", "web", 5*time.Second)
	golden(t, "events.json", out)
	expect(t, &fakeStore{stats: allStats()}, "events --interval 100ms web", "events", "web", 100*time.Millisecond)
}

func TestEventsStats(t *testing.T) {
	out := expect(t, &fakeStore{stats: allStats()}, "events --stats --interval 1m web", "stats", "web")
	f := &fakeStore{stats: allStats()}
	if _, all, _ := invoke(f, "events", "web"); all != out+`{"type":"oom","id":"web"}`+"\n" {
		t.Errorf("got %s", all)
	}
	// What runc leaves out of nothing.
	out = expect(t, &fakeStore{stats: &container.Stats{Stats: &cgroup.Stats{}}}, "events --stats web", "stats", "web")
	golden(t, "events-none.json", out)
}

func TestEventsErrors(t *testing.T) {
	const see = " (see 'runtime events --help')"
	refuse(t, "events", 1, "cannot events: it needs ID"+see)
	refuse(t, "events --interval 0s web", 1, `cannot use --interval "0s": not above 0`+see)
	refuse(t, "events --stats --interval -1s web", 1, `cannot use --interval "-1s": not above 0`+see)
	refuse(t, "events --interval 5 web", 1, `cannot use --interval "5": time: missing unit in duration "5"`+see)
	for _, line := range [][]string{{"events", "web"}, {"events", "--stats", "web"}} {
		code, _, errs := invoke(&fakeStore{stats: allStats(), err: errors.New("cannot do it")}, line...)
		if code != 1 || errs != "runtime: cannot do it\n" {
			t.Errorf("%v: exit %d, %s", line, code, errs)
		}
	}
}
