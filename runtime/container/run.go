package container

import (
	"errors"
	"fmt"
	"os"

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
	if !o.Detach {
		m.signals = listen()
	}
	if err := m.launch(); err != nil {
		return 1, m.abandon(m.explain(err))
	}
	if err := m.handle.startedHooks(m.doc.Spec); err != nil {
		return 1, m.abandon(err)
	}
	m.keep()
	defer m.proc.Forget()
	if o.Detach {
		s.passDetached(m.notifier, m.proc.Pidfd, m.Pid)
		return 0, nil
	}
	finish := s.passBeside(m.notifier, m.proc.Pidfd)
	end := s.span("attend the container", "pid", m.Pid)
	exit, err = attend(m.proc, m.master, m.signals)
	finish()
	end(err)
	if o.Keep {
		return exit, err
	}
	end = s.span("remove the container")
	e := m.remove()
	if end(e); err == nil {
		err = e
	}
	return exit, err
}

// remove takes away a container whose process has been waited for.
func (m *making) remove() error {
	lock, err := m.lockDelete(func() error { return nil })
	if err == unix.ENOENT {
		return m.store.removeDir(m.ID, m.dir)
	}
	if err != nil {
		return err
	}
	defer unix.Close(lock)
	if !m.program.Init { // others may have outlived it
		if err := m.group.Kill(unix.SIGKILL); err != nil {
			return fmt.Errorf("cannot kill the processes of container %q: %w", m.ID, err)
		}
	}
	if err := errors.Join(m.store.deleteGroup(m.group), m.removeRdt()); err != nil {
		return err
	}
	m.stopHooks(m.doc.Spec)
	return m.store.removeDir(m.ID, m.dir)
}

// attend passes signals and, with a terminal, bytes, and reaps until proc has ended. A process whose
// terminal cannot be served is killed.
func attend(proc *launch.Process, master *os.File, signals *listener) (int, error) {
	if master == nil {
		go signals.forward(proc.Pidfd)
		return reap(proc.Pid)
	}
	defer master.Close()
	session, err := console.Foreground(master)
	if err != nil {
		killErr := unix.PidfdSendSignal(proc.Pidfd, unix.SIGKILL, nil, 0)
		_, reapErr := reap(proc.Pid)
		return 1, errors.Join(err, killErr, reapErr)
	}
	session.Forward(func(os.Signal) {}) // they come through signals, as all others do
	go signals.forward(proc.Pidfd)
	exit, err := reap(proc.Pid)
	return exit, errors.Join(err, session.Close())
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
