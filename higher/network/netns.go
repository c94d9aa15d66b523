package network

import (
	"fmt"
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

// inNetns runs f on a thread that is in a network namespace, see setns(2): sockets that it opens, and what it reads and
// writes below /proc/sys/net, are of that namespace. Nothing that f starts is in there.
func inNetns(ns *os.File, f func() error) error {
	done := make(chan error, 1)
	go func() { done <- visit(ns, f) }()
	return <-done
}

// visit leaves its thread locked, to end with the goroutine, if it cannot come back.
func visit(ns *os.File, f func() error) error {
	runtime.LockOSThread()
	home, err := os.Open("/proc/thread-self/ns/net")
	if err != nil {
		return fmt.Errorf("cannot open our own network namespace: %w", err)
	}
	defer home.Close()
	if err := unix.Setns(int(ns.Fd()), unix.CLONE_NEWNET); err != nil {
		runtime.UnlockOSThread()
		return fmt.Errorf("cannot enter the container's network namespace: %w", os.NewSyscallError("setns", err))
	}
	defer func() {
		if unix.Setns(int(home.Fd()), unix.CLONE_NEWNET) == nil {
			runtime.UnlockOSThread()
		}
	}()
	return f()
}

// setSysctl writes a value below /proc/sys/net of the calling thread's namespace, if it is another than the one there.
func setSysctl(name, value string) error {
	path := "/proc/sys/net/" + name
	if have, err := os.ReadFile(path); err == nil && string(have) == value+"\n" {
		return nil
	}
	if err := os.WriteFile(path, []byte(value), 0o644); err != nil {
		return fmt.Errorf("cannot set sysctl net/%s: %w", name, err)
	}
	return nil
}
