package container

import (
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

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

// TestKillIn: a process gets the signal, one outside of the namespace does not, and one that has ended is no error.
func TestKillIn(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root, to make a pid namespace")
	}
	sleeper := func(flags uintptr) *exec.Cmd {
		cmd := exec.Command("/bin/sleep", "100")
		cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: flags, Pdeathsig: syscall.SIGKILL}
		try(t, cmd.Start())
		t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
		return cmd
	}
	inside, outside := sleeper(syscall.CLONE_NEWPID), sleeper(0)
	namespace, err := unix.Open("/proc/"+strconv.Itoa(inside.Process.Pid)+"/ns/pid", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	try(t, err)
	defer unix.Close(namespace)
	try(t, killIn(namespace, outside.Process.Pid, unix.SIGKILL))
	try(t, killIn(namespace, inside.Process.Pid, unix.SIGKILL))
	state, err := inside.Process.Wait()
	try(t, err)
	if ws := state.Sys().(syscall.WaitStatus); ws.Signal() != syscall.SIGKILL {
		t.Errorf("the process inside ended with %v", state)
	}
	if err := outside.Process.Signal(syscall.Signal(0)); err != nil || !sleeping(outside.Process.Pid) {
		t.Errorf("the process outside has ended: %v", err)
	}
	try(t, killIn(namespace, inside.Process.Pid, unix.SIGKILL))
}

// sleeping says that a process is there and has not been killed: the kill that comes before is done when it returns.
func sleeping(pid int) bool {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	return err == nil && !strings.Contains(string(text), ") Z ")
}

// TestIsRootless: the flag decides; by default it is who calls.
func TestIsRootless(t *testing.T) {
	for flag, want := range map[string]bool{"true": true, "false": false, "auto": os.Geteuid() != 0 || diagnose.InUserNamespace()} {
		if got := (&Store{Rootless: flag}).isRootless(); got != want {
			t.Errorf("--rootless %s: %v", flag, got)
		}
	}
}
