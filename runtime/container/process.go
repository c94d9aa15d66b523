package container

import (
	"bytes"
	"fmt"
	"strconv"

	"golang.org/x/sys/unix"
)

// startTime reads when pid started (proc_pid_stat(5), field 22) and whether it is a zombie.
func startTime(pid int) (ticks uint64, zombie bool, err error) {
	data, err := readFile(unix.AT_FDCWD, "/proc/"+strconv.Itoa(pid)+"/stat")
	if err != nil {
		return 0, false, err
	}
	return parseStat(data)
}

func parseStat(data []byte) (ticks uint64, zombie bool, err error) {
	// The command's name is in parentheses and may itself contain any character.
	end := bytes.LastIndexByte(data, ')')
	if end < 0 || end+2 > len(data) {
		return 0, false, fmt.Errorf("cannot read a process's stat: %q", data)
	}
	f := bytes.Fields(data[end+1:])
	if len(f) < 20 {
		return 0, false, fmt.Errorf("cannot read a process's stat: %q", data)
	}
	ticks, err = strconv.ParseUint(string(f[19]), 10, 64)
	state := f[0][0]
	return ticks, state == 'Z' || state == 'X', err
}

// alive says whether the container's init runs: the process with its pid is not a later one, nor dead.
func (r *record) alive() bool {
	if r.Pid == 0 {
		return false
	}
	ticks, zombie, err := startTime(r.Pid)
	return err == nil && !zombie && ticks == r.StartTime
}

// pidfd opens the container's init, and makes sure that it is it.
func (r *record) pidfd() (int, error) {
	if r.Pid == 0 {
		return -1, unix.ESRCH
	}
	fd, err := unix.PidfdOpen(r.Pid, 0)
	if err != nil {
		return -1, err
	}
	if !r.alive() {
		unix.Close(fd)
		return -1, unix.ESRCH
	}
	return fd, nil
}

// waitDead blocks until the process of pidfd has ended, for at most ms milliseconds.
func waitDead(pidfd, ms int) bool {
	fds := []unix.PollFd{{Fd: int32(pidfd), Events: unix.POLLIN}}
	for {
		n, err := unix.Poll(fds, ms)
		if err != unix.EINTR {
			return err == nil && n > 0
		}
	}
}
