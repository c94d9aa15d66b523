package checkpoint

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// grace is how long criu may take to notice by itself that the process which it restores has ended. Mostly it does, as
// its tracer, and says so; but an end between two of its stages it forgets when the next one begins, and waits for ever
// (restore_switch_stage in its cr-restore.c).
const grace = 2 * time.Second

// watch looks after the process that is restored, the first time that criu tells of it. The process is a child of this one.
func (c *Criu) watch(pid int) {
	if pid <= 0 || c.task >= 0 {
		return
	}
	if fd, err := unix.PidfdOpen(pid, 0); err == nil {
		c.task, c.taskPid = fd, pid
	}
}

// notify has a notification handled. When the restored process has ended by then, criu is told to give up: it may have
// forgotten the end when it goes on.
func (c *Criu) notify(n Notification, handle Handler) error {
	c.watch(n.Pid)
	err := handle(n)
	if n.Script == "post-resume" { // the processes run, and may end as they like
		closeFD(c.task)
		c.task = -1
	}
	ended := c.taskEnded()
	if ended == "" {
		return err
	}
	f := &Failure{Verb: "restore", Ended: ended}
	if err != nil {
		return fmt.Errorf("%w: %w", f, err)
	}
	return f
}

// await blocks until criu says something. It returns false when nothing will come any more: criu has ended, while others
// still hold its end of the socket; or what it restores has ended, and criu, which did not notice, was killed.
func (c *Criu) await() (bool, error) {
	task, limit := c.task, -1
	var deadline time.Time
	for {
		// The socket is last: what an ended process has sent is then seen with its end.
		fds := [...]unix.PollFd{{Fd: int32(c.pidfd), Events: unix.POLLIN}, {Fd: int32(task), Events: unix.POLLIN}, {Fd: int32(c.sock), Events: unix.POLLIN}}
		if !deadline.IsZero() {
			limit = int(max(0, time.Until(deadline).Milliseconds()))
		}
		n, err := unix.Poll(fds[:], limit)
		switch {
		case err == unix.EINTR:
		case err != nil:
			return false, fmt.Errorf("cannot wait for criu: %w", err)
		case fds[2].Revents != 0:
			return true, nil
		case fds[0].Revents != 0:
			return false, nil
		case n == 0:
			c.stuck = true
			return false, unix.PidfdSendSignal(c.pidfd, unix.SIGKILL, nil, 0)
		default:
			task, deadline = -1, time.Now().Add(c.grace)
		}
	}
}

// taskEnded says how the restored process has ended; "" when it has not.
func (c *Criu) taskEnded() string {
	fds := [...]unix.PollFd{{Fd: int32(c.task), Events: unix.POLLIN}}
	if n, err := unix.Poll(fds[:], 0); err != nil || n == 0 {
		return ""
	}
	// It stays a zombie until this process waits for it.
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(c.taskPid) + "/stat")
	if err != nil {
		return "ended"
	}
	return endOf(stat)
}

// endOf reads how a zombie has ended, in the last field of proc_pid_stat(5), which is a wait status.
func endOf(stat []byte) string {
	fields := bytes.Fields(stat)
	if len(fields) == 0 {
		return "ended"
	}
	status, err := strconv.ParseUint(string(fields[len(fields)-1]), 10, 32)
	switch ws := unix.WaitStatus(status); {
	case err != nil:
		return "ended"
	case ws.Signaled():
		return byKill(ws.Signal())
	default:
		return fmt.Sprintf("ended with status %d", ws.ExitStatus())
	}
}
