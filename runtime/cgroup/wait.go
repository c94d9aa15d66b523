package cgroup

import (
	"errors"
	"io/fs"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// waitLimit bounds every wait for the kernel or for processes.
var waitLimit = 10 * time.Second

// errTimeout ends a wait.
var errTimeout = errors.New("timed out")

// waitEvent waits until cgroup.events of a version 2 group says "key value".
// The kernel notifies pollers of every change of the file.
func waitEvent(dir int, path, key, value string, deadline time.Time) error {
	fd, err := openRetry(dir, "cgroup.events", unix.O_RDONLY|unix.O_NOFOLLOW)
	if err != nil {
		return &fs.PathError{Op: "open", Path: path + "/cgroup.events", Err: err}
	}
	defer unix.Close(fd)
	var buf [256]byte
	for {
		n, err := retry(func() (int, error) { return unix.Pread(fd, buf[:], 0) })
		if err != nil {
			return &fs.PathError{Op: "read", Path: path + "/cgroup.events", Err: err}
		}
		for line := range strings.SplitSeq(string(buf[:n]), "\n") {
			if k, v, _ := strings.Cut(line, " "); k == key && v == value {
				return nil
			}
		}
		if err := poll(fd, unix.POLLPRI, deadline); err != nil {
			return err
		}
	}
}

// waitExit waits for processes of a version 1 group, which has no events: for
// the first of pids to exit, but not for long, since it may also leave.
func waitExit(pids []int, deadline time.Time) error {
	slice := time.Now().Add(50 * time.Millisecond)
	if slice.After(deadline) {
		slice = deadline
	}
	fd := -1
	if len(pids) > 0 && pids[0] > 0 {
		fd, _ = unix.PidfdOpen(pids[0], 0)
	}
	if fd >= 0 {
		defer unix.Close(fd)
	} else if soon := time.Now().Add(time.Millisecond); soon.Before(slice) {
		slice = soon // exiting, or not visible from here
	}
	if err := poll(fd, unix.POLLIN, slice); err != nil && err != errTimeout {
		return err
	}
	if !time.Now().Before(deadline) {
		return errTimeout
	}
	return nil
}

// poll waits for an event of an fd (none for -1).
func poll(fd int, events int16, deadline time.Time) error {
	set := []unix.PollFd{{Fd: int32(fd), Events: events}}
	for {
		left := time.Until(deadline)
		if left <= 0 {
			return errTimeout
		}
		ts := unix.NsecToTimespec(left.Nanoseconds())
		n, err := unix.Ppoll(set, &ts, nil)
		if err != nil && err != unix.EINTR {
			return err
		}
		if n > 0 {
			return nil
		}
	}
}
