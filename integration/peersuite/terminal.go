package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// runWithTerminal runs a command in a session of its own with a terminal, as its standard input: runc opens
// /dev/tty where a container with a terminal runs in the foreground. What is written there is thrown away.
// Orphans come to this process, which reaps them as an init would: the tests watch processes go away. Once done says
// that all tests were run, it also kills them: a helper that a failed test has left behind keeps bats waiting.
func runWithTerminal(cmd *exec.Cmd, limit time.Duration, done func() bool) error {
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("cannot become a subreaper: %w", err)
	}
	master, slave, err := openTerminal()
	if err != nil {
		return fmt.Errorf("cannot make a terminal: %w", err)
	}
	defer master.Close()
	go func() { _, _ = io.Copy(io.Discard, master) }() // to EIO, or the Close
	cmd.Stdin = slave
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Setsid, cmd.SysProcAttr.Setctty, cmd.SysProcAttr.Ctty = true, true, 0
	if user := cmd.SysProcAttr.Credential; user != nil { // as login(1) does
		if err := slave.Chown(int(user.Uid), int(user.Gid)); err != nil {
			return errors.Join(err, slave.Close())
		}
	}
	if err := errors.Join(cmd.Start(), slave.Close()); err != nil {
		return err
	}
	timer := time.AfterFunc(limit, func() { _ = unix.Kill(-cmd.Process.Pid, unix.SIGKILL) })
	defer timer.Stop()
	stop := watch(done, func() { killOrphans(cmd.Process.Pid) })
	err = reap(cmd.Process.Pid)
	stop()
	endOrphans()
	return err
}

// endOrphans ends what the tests have left running, as a container of a runtime that failed; each may leave children of
// its own. Behind a process that cannot end, being frozen, it stops.
func endOrphans() {
	for list := children(); len(list) > 0; list = children() {
		for _, pid := range list {
			_ = unix.Kill(pid, unix.SIGKILL)
			if !awaitEnd(pid) {
				return
			}
			_, _ = unix.Wait4(pid, nil, 0, nil)
		}
	}
}

// awaitEnd waits until a process has ended, ten seconds at most.
func awaitEnd(pid int) bool {
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return false
	}
	defer unix.Close(fd)
	for {
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 10_000)
		if err != unix.EINTR { // the death of another child
			return err == nil && n == 1
		}
	}
}

// watch calls act each second from when done says so. The function it returns ends that, and waits for a call that
// is under way: it would hit the children of the next run.
func watch(done func() bool, act func()) (stop func()) {
	end, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		ticker := time.NewTicker(time.Second)
		defer ticker.Stop()
		for {
			select {
			case <-end:
				return
			case <-ticker.C:
				if done() {
					act()
				}
			}
		}
	}()
	return func() {
		close(end)
		<-ended
	}
}

// killOrphans kills the children of this process but one.
func killOrphans(but int) {
	for _, pid := range children() {
		if pid != but {
			_ = unix.Kill(pid, unix.SIGKILL)
		}
	}
}

// children are those of all threads of this process.
func children() (pids []int) {
	lists, _ := filepath.Glob("/proc/self/task/*/children")
	for _, list := range lists {
		text, _ := os.ReadFile(list)
		for _, field := range strings.Fields(string(text)) {
			if pid, err := strconv.Atoi(field); err == nil {
				pids = append(pids, pid)
			}
		}
	}
	return pids
}

// reap waits for children until it was pid's turn.
func reap(pid int) error {
	for {
		switch got, err := unix.Wait4(-1, nil, 0, nil); {
		case got == pid:
			return nil
		case err != nil && err != unix.EINTR:
			return fmt.Errorf("cannot wait for bats: %w", err)
		}
	}
}

func openTerminal() (master, slave *os.File, err error) {
	fd, err := unix.Open("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, nil, err
	}
	master = os.NewFile(uintptr(fd), "/dev/ptmx") // non-blocking: Close wakes a reader
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		return nil, nil, errors.Join(err, master.Close())
	}
	number, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		return nil, nil, errors.Join(err, master.Close())
	}
	slave, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		return nil, nil, errors.Join(err, master.Close())
	}
	return master, slave, nil
}
