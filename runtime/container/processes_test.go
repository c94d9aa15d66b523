package container

import (
	"os"
	"os/exec"
	"slices"
	"syscall"
	"testing"

	"github.com/dhow-containers/dhow/runtime/diagnose"
)

// TestInPIDNamespace: the processes of one pid namespace, and no others.
func TestInPIDNamespace(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root, to make a pid namespace")
	}
	cmd := exec.Command("/bin/sleep", "100")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWPID, Pdeathsig: syscall.SIGKILL}
	try(t, cmd.Start())
	defer cmd.Wait()
	defer cmd.Process.Kill()
	if pids, err := inPIDNamespace(cmd.Process.Pid); err != nil || !slices.Equal(pids, []int{cmd.Process.Pid}) {
		t.Errorf("%v, %v, want %d", pids, err, cmd.Process.Pid)
	}
	if pids, err := inPIDNamespace(os.Getpid()); err != nil || !slices.Contains(pids, os.Getpid()) || slices.Contains(pids, cmd.Process.Pid) {
		t.Errorf("the own namespace has %v, %v", pids, err)
	}
	if _, err := inPIDNamespace(1 << 30); err == nil {
		t.Error("a process that is not there has a namespace")
	}
}

// TestIsRootless: the flag decides; by default it is who calls.
func TestIsRootless(t *testing.T) {
	for flag, want := range map[string]bool{"true": true, "false": false, "auto": os.Geteuid() != 0 || diagnose.InUserNamespace()} {
		if got := (&Store{Rootless: flag}).isRootless(); got != want {
			t.Errorf("--rootless %s: %v", flag, got)
		}
	}
}
