package engine

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"

	"github.com/dhow-containers/dhow/integration"
	"golang.org/x/sys/unix"
)

// worldVariable is set in the process that has namespaces of its own: the host of all these tests.
const worldVariable = "DHOW_TEST_ENGINE"

// programs is the directory of what `make build` makes, busybox the archive of an image.
var programs, busybox string

func TestMain(m *testing.M) {
	integration.MachineMain()
	if os.Getuid() == 0 && os.Getenv(worldVariable) == "" {
		os.Exit(again())
	}
	code, err := runAll(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// again runs this program in new namespaces: no bridge, address or mount of a daemon under test is the host's.
func again() int {
	runtime.LockOSThread() // Pdeathsig is the death of this thread
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Env = append(os.Environ(), worldVariable+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: unix.CLONE_NEWNS | unix.CLONE_NEWNET, Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer integration.RemoveMachine(cmd.Process.Pid)
	var exit *exec.ExitError
	if err := cmd.Wait(); errors.As(err, &exit) {
		return max(exit.ExitCode(), 1)
	} else if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func runAll(m *testing.M) (int, error) {
	if os.Getuid() != 0 {
		return m.Run(), nil // everything skips
	}
	runtimePath, err := integration.RuntimePath() // builds everything
	if err != nil {
		return 1, err
	}
	programs = filepath.Dir(runtimePath)
	dir, err := os.MkdirTemp("", "dhow-engine-")
	if err != nil {
		return 1, err
	}
	defer os.RemoveAll(dir)
	if busybox, err = integration.BusyboxImage(dir); err != nil {
		return 1, err
	}
	if err := integration.RaiseLoopback(); err != nil {
		return 1, err
	}
	code := m.Run()
	return code, endShared()
}
