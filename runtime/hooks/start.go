package hooks

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// Starter starts a hook's process with exactly this environment and these standard streams, which stay
// the caller's to close. wait returns the exit status, or the signal when signaled; it is called once.
// kill ends the process and all its group at once; it may be called at any time, also after wait.
type Starter func(argv0 string, argv, env []string, files [3]*os.File) (
	wait func() (exitStatus int, signaled bool, err error), kill func(), err error)

// StartProcess is the Starter that forks in the runtime's own namespaces, with dir as the working
// directory; empty is the caller's. The process leads a group of its own.
func StartProcess(dir, argv0 string, argv, env []string, files [3]*os.File) (
	wait func() (exitStatus int, signaled bool, err error), kill func(), err error) {
	p, err := os.StartProcess(argv0, argv, &os.ProcAttr{
		Dir:   dir,
		Env:   env,
		Files: files[:],
		Sys:   &syscall.SysProcAttr{Setpgid: true},
	})
	if err != nil {
		return nil, nil, startError(dir, err)
	}
	c := &child{process: p}
	return c.wait, c.kill, nil
}

// startError tells a working directory that cannot be entered, such as that of a bundle which is gone by
// the time of poststop, from a program that cannot be executed: fork and exec report one errno for both.
func startError(dir string, err error) error {
	if dir != "" {
		d, openErr := os.OpenFile(dir, unix.O_PATH|unix.O_DIRECTORY, 0)
		if openErr != nil {
			return fmt.Errorf("cannot enter its working directory: %w", openErr)
		}
		d.Close() // O_PATH: nothing to lose
	}
	var path *fs.PathError
	if errors.As(err, &path) {
		err = path.Err // the caller names the path
	}
	return err
}

// child is a process that must not be signalled by number once it is reaped: the number may be another's.
type child struct {
	process *os.Process
	mu      sync.Mutex
	reaped  bool
}

func (c *child) wait() (exitStatus int, signaled bool, err error) {
	for {
		err := unix.Waitid(unix.P_PID, c.process.Pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
		if err != unix.EINTR {
			break
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.reaped = true
	state, err := c.process.Wait()
	if err != nil {
		return 0, false, err
	}
	status := state.Sys().(syscall.WaitStatus)
	if status.Signaled() {
		return int(status.Signal()), true, nil
	}
	return status.ExitStatus(), false, nil
}

func (c *child) kill() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.reaped {
		_ = unix.Kill(-c.process.Pid, unix.SIGKILL)
	}
}
