package container

import (
	"fmt"
	"os"
	"os/signal"

	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/runtime/console"
	"github.com/dhow-containers/dhow/runtime/launch"
)

// Run makes a container and starts it. In the foreground it returns the exit code of the container's
// process, after removing the container; detached it returns 0 as soon as the process runs.
func (s *Store) Run(id string, o RunOptions) (exit int, err error) {
	m, err := s.begin(id, &o.CreateOptions, false, o.Detach)
	if err != nil {
		return 1, err
	}
	defer m.close()
	if !o.NoSubreaper && !o.Detach {
		if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
			return 1, m.abandon(fmt.Errorf("cannot become a subreaper: %w", err))
		}
	}
	if err := m.launch(); err != nil {
		return 1, m.abandon(err)
	}
	if err := m.handle.startedHooks(m.doc.Spec); err != nil {
		return 1, m.abandon(err)
	}
	m.undo.release()
	defer m.proc.Forget()
	if o.Detach {
		return 0, nil
	}
	exit, err = attend(m.proc, m.master)
	if o.Keep {
		return exit, err
	}
	if e := m.handle.delete(); err == nil {
		err = e
	}
	return exit, err
}

// attend passes signals and, with a terminal, bytes, and reaps until proc has ended.
func attend(proc *launch.Process, master *os.File) (exit int, err error) {
	if master != nil {
		defer master.Close()
		session, err := console.Foreground(master)
		if err != nil {
			return 1, err
		}
		defer func() {
			if e := session.Close(); err == nil {
				err = e
			}
		}()
		session.Forward(func(os.Signal) {}) // they come through signals, as all others do
	}
	go forward(proc.Pidfd)
	return reap(proc.Pid)
}

// forward hands signals on to the container's process. Not those that are about this process: its
// children, its terminal's size, and the Go scheduler's own. Listening for a signal costs two switches
// between threads for each of them, so it is done here, beside the waiting, and not before the start.
func forward(pidfd int) {
	signals := make(chan os.Signal, 64)
	for s := unix.Signal(1); s < 65; s++ {
		switch s {
		case unix.SIGKILL, unix.SIGSTOP, unix.SIGCHLD, unix.SIGURG, unix.SIGWINCH, unix.SIGTTIN, unix.SIGTTOU, unix.SIGTSTP, unix.SIGPIPE:
		default:
			signal.Notify(signals, s)
		}
	}
	for sig := range signals {
		unix.PidfdSendSignal(pidfd, sig.(unix.Signal), nil, 0)
	}
}

// reap waits for pid, and buries what a container without a pid namespace orphans meanwhile.
func reap(pid int) (int, error) {
	for {
		var ws unix.WaitStatus
		switch got, err := unix.Wait4(-1, &ws, 0, nil); {
		case err == unix.EINTR:
		case err != nil:
			return 1, fmt.Errorf("cannot wait for the container's process %d: %w", pid, err)
		case got == pid:
			return launch.ExitCode(ws), nil
		}
	}
}
