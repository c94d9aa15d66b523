package main

import (
	"os/exec"
	"testing"

	"golang.org/x/sys/unix"
)

// What a test leaves running, here in a session of its own, does not outlive its file.
func TestOrphansEnd(t *testing.T) {
	cmd := exec.Command("sh", "-c", "setsid sleep 1000 & setsid sleep 1000 &")
	if err := runWithTerminal(cmd, 1<<40, func() bool { return false }); err != nil {
		t.Fatal(err)
	}
	if left := children(); len(left) > 0 {
		t.Errorf("children left: %v", left)
	}
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0); err != nil {
		t.Fatal(err)
	}
}
