package integration

import (
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestShimKilled kills the shim: containerd has it cleaned up by `delete`, and reports 137.
func TestShimKilled(t *testing.T) {
	h := newShimHost(t)
	events := h.events()
	h.detached("a")
	init := h.pid("a")
	pids := h.shims()
	if len(pids) != 1 {
		t.Fatalf("shims: %v", pids)
	}
	must(t, unix.Kill(pids[0], unix.SIGKILL))
	await(t, "the container to end", func() bool { return ended(init) && h.status("a") == "" })
	await(t, "the events", func() bool { return strings.Contains(events(), "/tasks/delete") })
	if !strings.Contains(events(), `"exit_status":137`) {
		t.Errorf("events: %s", events())
	}
	if left, _ := filepath.Glob("/run/containerd/dhow/" + h.Namespace + "/a"); len(left) > 0 {
		t.Error("the runtime's state is still there")
	}
}

// TestShimOutlivesContainerd stops containerd, has one container end meanwhile, and starts it again.
func TestShimOutlivesContainerd(t *testing.T) {
	h := newShimHost(t)
	h.detached("a")
	h.run([]string{"-d", "--null-io"}, "b", "sleep", "1000").Exited(0)
	b := h.pid("b")
	h.Stop(unix.SIGKILL)
	must(t, unix.Kill(b, unix.SIGTERM))
	unix.Kill(b, unix.SIGKILL)
	await(t, "the end of b", func() bool { return ended(b) })
	must(t, h.Containerd.Start())
	h.do("tasks", "exec", "--exec-id", "e", "a", "echo", "still here").Exited(0).Printed("still here")
	if got := h.status("b"); got == "RUNNING" {
		t.Errorf("b is %s", got)
	}
	h.do("tasks", "kill", "-s", "KILL", "a").Exited(0)
	await(t, "the end of a", func() bool { return h.status("a") == "STOPPED" })
}
