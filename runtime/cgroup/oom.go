package cgroup

import (
	"io/fs"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// OOMWatch tells when the kernel's OOM killer was at work in a group.
type OOMWatch struct {
	fd     int // what is polled: memory.events, or the eventfd of version 1
	path   string
	v1     bool
	killed uint64 // oom_kill of version 2 when it was looked at last
}

// WatchOOM begins to watch the group, including the groups below it in version
// 2: poll memory.events for a change (cgroup-v2.rst, "Memory Interface Files").
// In version 1 the kernel notifies an eventfd that was registered for
// memory.oom_control (cgroup-v1/memory.rst, "OOM Control"), also when a group
// above the container's is out of memory. The caller closes the watch.
//
// Errors: NotImplemented (github.com/containerd/errdefs) when the group has no
// memory controller.
func (g *Group) WatchOOM() (*OOMWatch, error) {
	dir, watch := g.Paths["memory"], watchV1
	if dir == "" {
		dir, watch = g.Paths[""], watchV2
	}
	if dir == "" {
		return nil, errNoMemoryController()
	}
	fd, err := openGroup(dir)
	if err != nil {
		return nil, errorf("cannot watch for OOM kills: %w", err)
	}
	defer unix.Close(fd)
	w, err := watch(fd, dir)
	if err == unix.ENOENT {
		return nil, errNoMemoryController()
	}
	if err != nil {
		return nil, errorf("cannot watch for OOM kills in %s: %w", dir, err)
	}
	return w, nil
}

func errNoMemoryController() error {
	return unavailable("cannot watch for OOM kills: the container's cgroup has no memory controller")
}

func watchV1(dir int, path string) (*OOMWatch, error) {
	control, err := openRetry(dir, "memory.oom_control", unix.O_RDONLY|unix.O_NOFOLLOW)
	if err != nil {
		return nil, err
	}
	defer unix.Close(control) // the registration outlives it
	fd, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		return nil, err
	}
	const name = "cgroup.event_control"
	if err := writeAt(dir, name, strconv.Itoa(fd)+" "+strconv.Itoa(control), path+"/"+name); err != nil {
		unix.Close(fd)
		return nil, err
	}
	return &OOMWatch{fd: fd, path: path, v1: true}, nil
}

func watchV2(dir int, path string) (*OOMWatch, error) {
	fd, err := openRetry(dir, "memory.events", unix.O_RDONLY|unix.O_NOFOLLOW)
	if err != nil {
		return nil, err
	}
	w := &OOMWatch{fd: fd, path: path + "/memory.events"}
	if w.killed, err = w.kills(); err != nil {
		unix.Close(fd)
		return nil, err
	}
	return w, nil
}

// Poll returns what to hand to poll(2). Happened tells, once that has returned,
// what it was about.
func (w *OOMWatch) Poll() unix.PollFd {
	if w.v1 {
		return unix.PollFd{Fd: int32(w.fd), Events: unix.POLLIN}
	}
	return unix.PollFd{Fd: int32(w.fd), Events: unix.POLLPRI}
}

// Happened tells whether the OOM killer was at work since it was last asked, or
// since WatchOOM. It does not wait.
//
// Errors: fs.ErrNotExist when the group is gone, which poll(2) notices too.
func (w *OOMWatch) Happened() (bool, error) {
	if w.v1 {
		return w.notified()
	}
	killed, err := w.kills()
	if err != nil {
		return false, err
	}
	before := w.killed
	w.killed = killed
	return killed > before, nil
}

// notified takes the notifications from the eventfd. The removal of the group is
// one too.
func (w *OOMWatch) notified() (bool, error) {
	var count [8]byte
	_, err := unix.Read(w.fd, count[:])
	switch {
	case err == unix.EAGAIN || err == unix.EINTR:
		return false, nil
	case err != nil:
		return false, &fs.PathError{Op: "read", Path: "eventfd", Err: err}
	}
	if err := unix.Access(w.path, unix.F_OK); err != nil {
		return false, &fs.PathError{Op: "access", Path: w.path, Err: err}
	}
	return true, nil
}

// kills reads oom_kill from memory.events, and so waits for its next change.
func (w *OOMWatch) kills() (uint64, error) {
	var buf [512]byte
	n, err := retry(func() (int, error) { return unix.Pread(w.fd, buf[:], 0) })
	if err == unix.ENODEV {
		err = unix.ENOENT
	}
	if err != nil {
		return 0, &fs.PathError{Op: "read", Path: w.path, Err: err}
	}
	for line := range strings.SplitSeq(string(buf[:n]), "\n") {
		if value, ok := strings.CutPrefix(line, "oom_kill "); ok {
			n, _ := counter(value)
			return n, nil
		}
	}
	return 0, nil
}

// Close ends the watch.
func (w *OOMWatch) Close() { unix.Close(w.fd) }
