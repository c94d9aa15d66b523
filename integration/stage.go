package integration

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// A Stage is the view of the host that a process runs its containers in.
type Stage string

// The stages. All are mount namespaces of their own, so that no mistake of a runtime under test reaches
// the host's mounts.
const (
	Host    Stage = ""        // not staged yet
	Hybrid  Stage = "hybrid"  // /sys/fs/cgroup as the host has it
	Unified Stage = "unified" // /sys/fs/cgroup is a pure cgroup2 mount, as on a unified host
	Systemd Stage = "systemd" // a Debian with systemd as init, in namespaces of its own (systemd.go)
)

const stageVariable = "DHOW_TEST_STAGE"

// CurrentStage is the stage that this process was started in.
func CurrentStage() Stage { return Stage(os.Getenv(stageVariable)) }

// InStage makes a command run in a new mount namespace, where it must call EnterStage first.
func InStage(cmd *exec.Cmd, stage Stage) *exec.Cmd {
	if cmd.Env == nil {
		cmd.Env = os.Environ()
	}
	cmd.Env = append(cmd.Env, stageVariable+"="+string(stage))
	cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS, Pdeathsig: syscall.SIGKILL}
	return cmd
}

// Restage runs this program again, with its own arguments, in a stage; it returns the exit status.
func Restage(stage Stage) (int, error) {
	self, err := os.Executable()
	if err != nil {
		return 1, err
	}
	runtime.LockOSThread() // Pdeathsig is the death of this thread
	cmd := InStage(exec.Command(self, os.Args[1:]...), stage)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	if err := cmd.Start(); err != nil {
		return 1, err
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, unix.SIGINT, unix.SIGTERM, unix.SIGQUIT)
	go func() {
		for s := range signals {
			_ = cmd.Process.Signal(s) // it may be gone already
		}
	}()
	defer RemoveMachine(cmd.Process.Pid)
	var exit *exec.ExitError
	if err := cmd.Wait(); errors.As(err, &exit) {
		return max(exit.ExitCode(), 1), nil
	} else if err != nil {
		return 1, err
	}
	return 0, nil
}

// EnterStage finishes what InStage began. Only this process's own copy of the mounts changes: the
// control groups that other mount namespaces see stay as they are.
func EnterStage() error {
	if CurrentStage() != Unified {
		return nil
	}
	if err := unix.Unmount("/sys/fs/cgroup", unix.MNT_DETACH); err != nil {
		return fmt.Errorf("cannot unmount /sys/fs/cgroup in a private mount namespace: %w", err)
	}
	if err := unix.Mount("none", "/sys/fs/cgroup", "cgroup2", 0, ""); err != nil {
		return fmt.Errorf("cannot mount cgroup2: %w", err)
	}
	return nil
}
