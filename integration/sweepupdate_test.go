package integration

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestKillUpdate kills update before and after it has set the limits: the next one finishes it, whatever it is about
// itself, and the record says what holds.
func TestKillUpdate(t *testing.T) {
	needV1(t, "pids")
	t.Parallel()
	path := failpointRuntime(t)
	for _, point := range []string{"update", "updated"} {
		r := newCLI(t)
		r.Path = path
		id := r.Started(newBundle(t, Args("sleep", "1000"), pidsLimit(50), memoryAndSwap(64<<20, 64<<20)))
		pid := r.State(id).Pid
		r.Env = append(os.Environ(), "DHOW_FAILPOINT=parent:"+point)
		r.Do("update", "--pids-limit", "77", "--memory", "32m", "--memory-swap", "32m", id).Exited(137)
		r.Env = nil
		r.Must("update", "--cpu-share", "512", id)
		wantFiles(t, pid, map[string]string{"pids/pids.max": "77", "cpu/cpu.shares": "512", "memory/memory.limit_in_bytes": "33554432"})
		record := readFile(t, filepath.Join(r.Root, id, "resources"))
		if !strings.Contains(record, "77") || !strings.Contains(record, "33554432") || !strings.Contains(record, "512") || exists(filepath.Join(r.Root, id, "resources.next")) {
			t.Errorf("%s: the record is %s", point, record)
		}
	}
}

// What the kernel refuses by then is taken back.
func TestKillUpdateThatIsRefusedLater(t *testing.T) {
	needV1(t, "pids")
	t.Parallel()
	r := newCLI(t)
	r.Path = failpointRuntime(t)
	id := r.Started(newBundle(t, Args("sleep", "1000"), pidsLimit(50)))
	r.Env = append(os.Environ(), "DHOW_FAILPOINT=parent:update")
	r.Do("update", "--pids-limit", "77", "--cpuset-cpus", "4000", id).Exited(137)
	r.Env = nil
	r.Must("update", "--cpu-share", "512", id)
	wantFiles(t, r.State(id).Pid, map[string]string{"pids/pids.max": "50", "cpu/cpu.shares": "512"})
	if exists(filepath.Join(r.Root, id, "resources.next")) {
		t.Error("it is still to be finished")
	}
}
