package container

import (
	"fmt"
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

// newNetwork makes a network namespace for plan.Network. In a user namespace that its own network namespace does not
// belong to, the way back is barred: then the caller stays locked to its thread, which ends with it.
func newNetwork() (int, error) {
	fd, back := -1, false
	unshare := func() (err error) {
		fd, back, err = unshareNetwork()
		return err
	}
	runtime.LockOSThread()
	var err error
	if unix.Gettid() == unix.Getpid() { // whose namespaces are seen as those of all threads
		err, back = onThread(unshare), true
	} else {
		err = unshare()
	}
	if back {
		runtime.UnlockOSThread()
	}
	if err != nil {
		return -1, fmt.Errorf("cannot make a network namespace (linux.namespaces): %w", err)
	}
	return fd, nil
}

// unshareNetwork makes a network namespace by way of the calling thread. It says whether the thread is in its old one.
func unshareNetwork() (fd int, back bool, err error) {
	own, err := openNetwork()
	if err != nil {
		return -1, true, err
	}
	defer unix.Close(own)
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		return -1, true, os.NewSyscallError("unshare", err)
	}
	fd, err = openNetwork()
	return fd, unix.Setns(own, unix.CLONE_NEWNET) == nil, err
}

func openNetwork() (int, error) {
	const path = "/proc/thread-self/ns/net"
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, &os.PathError{Op: "open", Path: path, Err: err}
	}
	return fd, nil
}
