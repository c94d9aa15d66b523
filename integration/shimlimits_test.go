package integration

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"

	"github.com/dhow-containers/dhow/shim/ttrpc"
	"github.com/dhow-containers/dhow/shim/wire"
)

// TestShimOOM has the kernel kill for want of memory: that is told before the end.
func TestShimOOM(t *testing.T) {
	limit := int64(16 << 20)
	s := newShimDirect(t, func(b *Bundle) {
		b.Spec.Process.Args = []string{"sh", "-c", "x=$(head -c 64000000 /dev/zero | tr '\\0' x)"}
		b.Spec.Linux.Resources.Memory = &specs.LinuxMemory{Limit: &limit}
	})
	s.create("")
	s.must("Start", s.target(""))
	s.wait("")
	events := s.events.all()
	await(t, "the exit", func() bool { // version 1 tells of one kill many times
		events = s.events.all()
		return len(events) >= 4 && strings.HasPrefix(events[len(events)-1], "exit")
	})
	if events[2] != "oom" {
		t.Errorf("events %q", events)
	}
}

// TestShimUpdate changes a limit and reads it back, and asks for what cannot be.
func TestShimUpdate(t *testing.T) {
	s := newShimDirect(t, sleeps)
	s.create("")
	s.must("Start", s.target(""))
	update := func(text string) wire.Func {
		return func(e *wire.Encoder) {
			e.String(1, s.id)
			e.Message(2, &wire.Any{URL: "types.containerd.io/opencontainers/runtime-spec/1/LinuxResources", Value: []byte(text)})
		}
	}
	s.must("Update", update(`{"pids":{"limit":77}}`))
	limits, _ := filepath.Glob("/sys/fs/cgroup/pids/" + s.namespace + "/c1/pids.max")
	unified, _ := filepath.Glob("/sys/fs/cgroup/" + s.namespace + "/c1/pids.max")
	if limits = append(limits, unified...); len(limits) != 1 || readFile(t, limits[0]) != "77" {
		t.Errorf("the limit is not set: %v", limits)
	}
	// In both versions' messages the second number of the group `pids` is the limit.
	kind, limit := "v1", uint64(0)
	if len(unified) > 0 {
		kind = "v2"
	}
	must(t, s.call("Stats", s.target(""), func(_ int, v wire.Value) error {
		var a wire.Any
		if err := wire.Unmarshal(v.Bytes, &a); err != nil || a.URL != "io.containerd.cgroups."+kind+".Metrics" {
			return fmt.Errorf("statistics of type %s: %w", a.URL, err)
		}
		return wire.Fields(a.Value, func(n int, v wire.Value) error {
			if n != map[string]int{"v1": 2, "v2": 1}[kind] {
				return nil
			}
			return wire.Fields(v.Bytes, func(n int, v wire.Value) error {
				if n == 2 {
					limit = v.Uint
				}
				return nil
			})
		})
	}))
	if limit != 77 {
		t.Errorf("the statistics tell of a limit of %d", limit)
	}
	s.fails("Update", update(`{"pids":`), ttrpc.InvalidArgument)
	s.must("Connect", s.target(""))
	s.must("ResizePty", s.target("")) // no terminal: nothing to do
}

// TestShimRests has the shim give back what it does not need while it waits, and go on from there. It has no huge pages,
// which the virtual machine's kernel gives to whoever does not refuse them.
func TestShimRests(t *testing.T) {
	s := newShimDirect(t, sleeps)
	s.create("")
	s.must("Start", s.target(""))
	shim, _ := s.pids()
	await(t, "less memory", func() bool {
		kib := map[string]int{}
		for line := range strings.Lines(readFile(t, fmt.Sprintf("/proc/%d/smaps_rollup", shim))) {
			if f := strings.Fields(line); len(f) == 3 {
				kib[f[0]], _ = strconv.Atoi(f[1])
			}
		}
		program := kib["Pss_File:"] + kib["Pss_Shmem:"] // on a disk, or on a tmpfs
		return program < 3072 && kib["Pss_Anon:"] < 2048 && kib["AnonHugePages:"] == 0
	})
	s.exec("e", "sh", "-c", "exit 3")
	s.must("Start", s.target("e"))
	if got := s.wait("e"); got != 3 {
		t.Errorf("exit status %d", got)
	}
}
