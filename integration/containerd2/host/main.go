// Package host starts containerds for the tests of this module, each with everything of its own: mounts, network, state,
// control groups.
package host

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/integration"
)

// private are directories of the host that containerd and its shims have to themselves here.
var private = []string{"/run/containerd", "/var/lib/cni"}

// Main runs the tests of a package in a mount and a network namespace of their own.
func Main(m *testing.M) {
	if os.Getuid() != 0 {
		fmt.Println("skipped: needs root")
		return
	}
	code, err := main(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func main(m *testing.M) (code int, err error) {
	if integration.CurrentStage() == integration.Host {
		return again()
	}
	for _, dir := range private {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return 1, err
		}
		if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "mode=711"); err != nil {
			return 1, fmt.Errorf("cannot mount a tmpfs on %s: %w", dir, err)
		}
	}
	if err := loopbackUp(); err != nil {
		return 1, err
	}
	return m.Run(), nil
}

// again runs this program in new namespaces.
func again() (code int, err error) {
	runtime.LockOSThread() // the death of this thread is what Pdeathsig means
	self, err := os.Executable()
	if err != nil {
		return 1, err
	}
	cmd := integration.InStage(exec.Command(self, os.Args[1:]...), integration.Hybrid)
	cmd.SysProcAttr.Unshareflags |= unix.CLONE_NEWNET
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	err = cmd.Run()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		return max(exit.ExitCode(), 1), nil
	}
	return 0, err
}

func loopbackUp() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	request, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	request.SetUint16(unix.IFF_UP)
	return unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, request)
}
