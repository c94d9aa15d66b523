package integration

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/shim/ttrpc"
	"github.com/dhow-containers/dhow/shim/wire"
)

// TestShimTaskLife goes through a life with an exec whose exit comes after that of the init was asked for.
func TestShimTaskLife(t *testing.T) {
	s := newShimDirect(t, sleeps)
	s.create("")
	s.fails("Create", func(e *wire.Encoder) { e.String(1, s.id); e.String(2, s.bundle.Dir) }, ttrpc.AlreadyExists)
	if got := s.state(""); got != 1 {
		t.Errorf("state %d, want created", got)
	}
	s.must("Start", s.target(""))
	s.fails("Start", s.target(""), ttrpc.FailedPrecondition)
	s.fails("Delete", s.target(""), ttrpc.FailedPrecondition)
	s.fails("State", s.target("none"), ttrpc.NotFound)
	s.exec("e1", "sleep", "1000")
	s.fails("Kill", s.kill("e1", unix.SIGKILL), ttrpc.FailedPrecondition)
	s.must("Start", s.target("e1"))
	s.exec("e2", "sh", "-c", "exit 3")
	s.must("Start", s.target("e2"))
	if got := s.wait("e2"); got != 3 {
		t.Errorf("exit status %d of e2", got)
	}
	s.fails("Kill", s.kill("e2", unix.SIGKILL), ttrpc.NotFound)
	s.must("Delete", s.target("e2"))
	s.exec("e3", "true")
	s.must("Delete", s.target("e3")) // never started
	s.must("Kill", s.kill("", unix.SIGKILL))
	if got := s.wait(""); got != 137 {
		t.Errorf("exit status %d", got)
	}
	if got := s.state("e1"); got != 3 {
		t.Errorf("e1 is in state %d after the init has ended", got)
	}
	s.exec("e4", "true")
	s.fails("Start", s.target("e4"), ttrpc.FailedPrecondition)
	s.fails("Kill", s.kill("", unix.SIGKILL), ttrpc.NotFound)
	s.must("Delete", s.target(""))
	s.fails("State", s.target(""), ttrpc.NotFound)
	s.expect("create", "start", "exec-added:e1", "exec-started:e1", "exec-added:e2", "exec-started:e2", "exit:e2=3", "exec-added:e3",
		"exit:e1=137", "exit=137", "exec-added:e4", "delete")
	s.must("Shutdown", s.target(""))
	await(t, "the shim's end", func() bool { _, err := os.Stat(s.socket); return err != nil && len(processesOf(s.namespace)) == 0 })
}

// TestShimKillBeforeStart kills a container that is only created.
func TestShimKillBeforeStart(t *testing.T) {
	s := newShimDirect(t, sleeps)
	s.create("")
	s.must("Kill", s.kill("", unix.SIGKILL))
	if got := s.wait(""); got != 137 {
		t.Errorf("exit status %d", got)
	}
	if err := s.call("Start", s.target(""), nil); err == nil {
		t.Error("started a container that has ended")
	}
	s.must("Delete", s.target(""))
	s.expect("create", "exit=137", "delete")
}

// TestShimShortLives starts what ends at once: the event of the start comes first all the same.
func TestShimShortLives(t *testing.T) {
	s := newShimDirect(t, sleeps)
	s.create("")
	s.must("Start", s.target(""))
	want := []string{"create", "start"}
	for i := range 30 {
		id := fmt.Sprint("e", i)
		s.exec(id, "true")
		s.must("Start", s.target(id))
		s.wait(id)
		s.must("Delete", s.target(id))
		want = append(want, "exec-added:"+id, "exec-started:"+id, "exit:"+id)
	}
	s.expect(want...)
	var pids []int
	for _, item := range processesOf(s.namespace) {
		if pid, _ := strconv.Atoi(strings.Fields(item)[1]); strings.Contains(item, "containerd-shim-dhow-v2") {
			pids = append(pids, pid)
		}
	}
	if len(pids) != 1 {
		t.Fatalf("shims %v", pids)
	}
	if n := len(dirNames(t, fmt.Sprintf("/proc/%d/fd", pids[0]))); n > 16 {
		t.Errorf("the shim has %d descriptors after 30 execs", n)
	}
}

func dirNames(t *testing.T, path string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(path)
	must(t, err)
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// TestShimFailedExec has an exec that cannot be: who waits for it is told at once.
func TestShimFailedExec(t *testing.T) {
	s := newShimDirect(t, sleeps)
	s.create("")
	s.must("Start", s.target(""))
	s.exec("e", "no-such-program")
	if err := s.call("Start", s.target("e"), nil); err == nil || !strings.Contains(err.Error(), "executable file not found") {
		t.Errorf("got %v", err)
	}
	if got := s.wait("e"); got != 0 {
		t.Errorf("status %d", got)
	}
	s.must("Delete", s.target("e"))
	s.must("Kill", s.kill("", unix.SIGKILL))
	s.wait("")
	s.expect("create", "start", "exec-added:e", "exit=137")
}

// TestShimSharedPIDs has a container in the host's pid namespace, whose processes outlive its init: they are killed
// before its end is told, and orphans are reaped.
func TestShimSharedPIDs(t *testing.T) {
	s := newShimDirect(t, func(b *Bundle) {
		b.Spec.Process.Args = []string{"sh", "-c", "sleep 2000 & (sleep 0.1 & exit) ; exit 4"}
		b.Spec.Linux.Namespaces = slices.DeleteFunc(b.Spec.Linux.Namespaces, func(n specs.LinuxNamespace) bool { return n.Type == specs.PIDNamespace })
	})
	s.create("")
	s.must("Start", s.target(""))
	if got := s.wait(""); got != 4 {
		t.Errorf("exit status %d", got)
	}
	await(t, "the others to die", func() bool { return len(cgroupProcesses(s.namespace)) == 0 })
	s.must("Delete", s.target(""))
	s.expect("create", "start", "exit=4", "delete")
}

// cgroupProcesses are those in the container's groups.
func cgroupProcesses(mark string) (found []string) {
	for _, item := range processesOf(mark + "/c1") {
		if !strings.Contains(item, "containerd-shim") {
			found = append(found, item)
		}
	}
	return found
}
