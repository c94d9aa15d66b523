package integration

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

func TestEventsStats(t *testing.T) {
	needV1(t, "memory")
	t.Parallel()
	r, id := sleeper(t, memoryAndSwap(64<<20, 96<<20), pidsLimit(50))
	await(t, "no process but its own", func() bool { return r.Stats(id).number("pids/current") == 1 })
	e := r.Stats(id)
	for path, want := range map[string]int64{
		"memory/usage/limit": 64 << 20, "memory/swap/limit": 96 << 20, "memory/raw/hierarchical_memory_limit": 64 << 20,
		"pids/current": 1, "pids/limit": 50,
	} {
		if got := e.number(path); got != want {
			t.Errorf("%s: %d, want %d", path, got, want)
		}
	}
	for _, path := range []string{"memory/usage/usage", "memory/usage/max", "cpu/usage/total"} {
		if e.number(path) <= 0 {
			t.Errorf("%s: %v", path, e.at(path))
		}
	}
	r.Detached("exec", "--detach", id, "sleep", "1000").Exited(0)
	await(t, "two processes", func() bool { return r.Stats(id).number("pids/current") == 2 })
}

// TestEventsStatsAsThePeers compares with the fields that another runtime prints of a container in the same state.
func TestEventsStatsAsThePeers(t *testing.T) {
	onlyDhow(t, "it is the peer")
	needV1(t, "memory")
	t.Parallel()
	peer := os.Getenv("PEER")
	if peer == "" {
		peer = "/usr/sbin/runc"
	}
	if !exists(peer) {
		skip(t, "needs "+peer)
	}
	quota, period := int64(5000), uint64(100000) // little enough to bind on a busy machine
	throttled := Resources(func(r *specs.LinuxResources) { r.CPU = &specs.LinuxCPU{Quota: &quota, Period: &period, Cpus: "0"} })
	stats := func(r *cli) *event {
		id := r.Started(newBundle(t, Shell("while :; do :; done"), memoryAndSwap(64<<20, 96<<20), pidsLimit(50), throttled))
		await(t, "the quota to bind, and the shell to be alone", func() bool { // start of the peer's returns before its threads are gone
			e := r.Stats(id)
			return e.number("cpu/throttling/throttledTime") > 0 && e.number("pids/current") == 1
		})
		return r.Stats(id)
	}
	theirs := newCLI(t)
	theirs.Path = peer
	ours, want := stats(newCLI(t)), stats(theirs)
	got, expected := leaves("", ours.Data), leaves("", want.Data)
	for path, kind := range expected {
		// What the one has read from the disk the other finds in the page cache, and 0 may be left out.
		read := strings.HasPrefix(path, "/blkio/") || path == "/memory/cache"
		if got[path] != kind && (got[path] != "" || !read) {
			t.Errorf("%s: a %s, with the peer a %s", path, got[path], kind)
		}
	}
	for path, kind := range got {
		// A kernel may count these in version 2, where the peer does not look; and 0 may be left out.
		more := strings.Contains(path, "/psi/") || strings.HasPrefix(path, "/hugetlb/") || strings.HasPrefix(path, "/blkio/") || path == "/memory/cache"
		if expected[path] == "" && !more {
			t.Errorf("%s: a %s, with the peer nothing", path, kind)
		}
	}
	for _, path := range []string{"memory/usage/limit", "memory/swap/limit", "memory/kernelTCP/limit", "pids", "cpuset"} {
		a, _ := json.Marshal(ours.at(path))
		b, _ := json.Marshal(want.at(path))
		if string(a) != string(b) {
			t.Errorf("%s: %s, with the peer %s", path, a, b)
		}
	}
}

func TestEventsStream(t *testing.T) {
	needRoot(t)
	t.Parallel()
	testEventsStream(t)
}

func TestUnifiedEventsStream(t *testing.T) {
	if unified(t) {
		onlyDhow(t, "it wants the memory controller")
		testEventsStream(t)
	}
}

func testEventsStream(t *testing.T) {
	r, id := sleeper(t)
	s := r.Events("--interval", "50ms", id)
	first := s.until("stats")
	if first.ID != id || first.Data["pids"] == nil {
		t.Errorf("got %+v", first)
	}
	s.until("stats")
	r.Must("delete", "--force", id)
	s.ended("stats")
}

// The end of the init ends the stream, whatever the interval, and before the container is deleted.
func TestEventsEndWithTheContainer(t *testing.T) {
	onlyDhow(t, "it waits for the delete on v1, and at first for the interval")
	t.Parallel()
	testEventsEnd(t)
}

func TestUnifiedEventsEndWithTheContainer(t *testing.T) {
	if unified(t) {
		onlyDhow(t, "it wants the memory controller")
		testEventsEnd(t)
	}
}

func testEventsEnd(t *testing.T) {
	r, id := sleeper(t)
	s := r.Events("--interval", "1h", id)
	await(t, "it to watch the init", func() bool { return holds(s.cmd.Process.Pid, "anon_inode:[pidfd]") })
	r.Must("kill", id, "KILL")
	s.ended()
	r.Do("events", id).Failed("not running").Exited(1)
	r.Do("events", "--stats", id).Failed("not running").Exited(1)
}

// holds tells whether a process has an open file of that name.
func holds(pid int, name string) bool {
	dir := "/proc/" + itoa(pid) + "/fd/"
	entries, _ := os.ReadDir(dir)
	return slices.ContainsFunc(entries, func(e os.DirEntry) bool {
		target, err := os.Readlink(dir + e.Name())
		return err == nil && target == name
	})
}

// A container that waits for its start has statistics too.
func TestEventsOfACreatedContainer(t *testing.T) {
	needRoot(t)
	t.Parallel()
	r := newCLI(t)
	id := r.Create(newBundle(t))
	if n := r.Stats(id).number("pids/current"); n < 1 {
		t.Errorf("%d processes", n)
	}
}

func TestEventsOfNoContainer(t *testing.T) {
	t.Parallel()
	r, id := sleeper(t)
	r.Do("events", "dhowtest-absent").Failed("does not exist").Exited(1)
	r.Do("events", "--stats", "dhowtest-absent").Failed("does not exist").Exited(1)
	r.Do("events", "--interval", "0s", id).Failed("interval").Exited(1)
}

func TestEventsOOM(t *testing.T) {
	needV1(t, "memory")
	t.Parallel()
	testEventsOOM(t)
}

func TestUnifiedEventsOOM(t *testing.T) {
	if !unified(t) {
		return
	}
	if !strings.Contains(readFile(t, "/sys/fs/cgroup/cgroup.controllers"), "memory") {
		skip(t, "needs the v2 controller memory")
	}
	testEventsOOM(t)
}

// testEventsOOM has a process killed beside the init: once for each, and the stream goes on.
func testEventsOOM(t *testing.T) {
	r, id := sleeper(t, memoryAndSwap(64<<20, 64<<20))
	s := r.Events("--interval", "100ms", id)
	s.until("stats") // it watches now
	for range 2 {
		r.Do("exec", id, "/probe", "hog", "128").Exited(137)
		if e := s.until("oom"); e.ID != id || e.Data != nil {
			t.Errorf("got %+v", e)
		}
		s.until("stats")
	}
	r.Must("delete", "--force", id)
	s.ended("stats", "oom")
}

// When the init itself is what the kernel kills, that is told before the stream ends.
func TestEventsOOMOfTheInit(t *testing.T) {
	onlyDhow(t, "it does not end before the delete")
	needV1(t, "memory")
	t.Parallel()
	testEventsOOMOfTheInit(t)
}

func TestUnifiedEventsOOMOfTheInit(t *testing.T) {
	if !unified(t) {
		return
	}
	if !strings.Contains(readFile(t, "/sys/fs/cgroup/cgroup.controllers"), "memory") {
		skip(t, "needs the v2 controller memory")
	}
	testEventsOOMOfTheInit(t)
}

func testEventsOOMOfTheInit(t *testing.T) {
	r := newCLI(t)
	id := r.Create(newBundle(t, probe("hog", "128"), memoryAndSwap(64<<20, 64<<20)))
	s := r.Events("--interval", "100ms", id)
	s.until("stats")
	r.Must("start", id)
	s.until("oom")
	s.ended("stats", "oom")
}

func TestUnifiedEventsStats(t *testing.T) {
	if !unified(t) {
		return
	}
	r, id := sleeper(t)
	await(t, "no process but its own", func() bool { return r.Stats(id).number("pids/current") == 1 })
	e := r.Stats(id)
	if e.number("pids/current") != 1 || e.number("cpu/usage/total") <= 0 {
		t.Errorf("got %v", e.Data)
	}
	if underTest.kind == Dhow && exists("/sys/fs/cgroup"+groupOf(t, r.State(id).Pid)+"/cpu.pressure") && e.at("cpu/psi/some/total") == nil { // runc 1.1 does not look
		t.Errorf("no pressure: %v", e.Data)
	}
}

// With all controllers; the limits are those of the config.
func TestUnifiedEventsStatsOfLimits(t *testing.T) {
	if !unified(t) {
		return
	}
	controllers := readFile(t, "/sys/fs/cgroup/cgroup.controllers")
	for _, c := range []string{"memory", "pids", "cpu"} {
		if !strings.Contains(controllers, c) {
			skip(t, "needs the v2 controller "+c)
		}
	}
	quota, period := int64(5000), uint64(100000) // little enough to bind on a busy machine
	r := newCLI(t)
	id := r.Started(newBundle(t, Shell("while :; do :; done"), memoryLimit(64<<20), pidsLimit(50),
		Resources(func(r *specs.LinuxResources) { r.CPU = &specs.LinuxCPU{Quota: &quota, Period: &period} })))
	await(t, "the quota to bind", func() bool { return r.Stats(id).number("cpu/throttling/throttledTime") > 0 })
	e := r.Stats(id)
	if e.number("memory/usage/limit") != 64<<20 || e.number("memory/usage/usage") <= 0 || e.number("pids/limit") != 50 || e.at("memory/raw/anon") == nil {
		t.Errorf("got %v", e.Data)
	}
}
