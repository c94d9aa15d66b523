package netdev

import (
	"fmt"
	"runtime"

	"golang.org/x/sys/unix"
)

// dialIn makes a socket in the network namespace ns. The thread comes back to home; one that cannot is not given
// to other goroutines, and ends.
func dialIn(ns, home int) (*conn, error) {
	type result struct {
		c   *conn
		err error
	}
	done := make(chan result)
	go func() {
		runtime.LockOSThread()
		if err := unix.Setns(ns, unix.CLONE_NEWNET); err != nil {
			runtime.UnlockOSThread()
			done <- result{err: fmt.Errorf("cannot enter the container's network namespace: setns: %w", err)}
			return
		}
		c, err := dial()
		if unix.Setns(home, unix.CLONE_NEWNET) == nil {
			runtime.UnlockOSThread()
		}
		done <- result{c, err}
	}()
	r := <-done
	return r.c, r.err
}
