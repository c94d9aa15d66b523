package main

import (
	"fmt"
	"math"

	"golang.org/x/sys/unix"
)

// inherit returns how many descriptors the caller hands over in a row from 3 on, and marks every one from
// 3 on close-on-exec: hooks and helpers are programs too, and what the caller has open is not for them.
// What --preserve-fds names is duplicated for the container. It is called before this program opens
// anything; the Go runtime's own descriptors are close-on-exec already, which tells them apart.
func inherit() (int, error) {
	n := 0
	for {
		flags, err := unix.FcntlInt(uintptr(3+n), unix.F_GETFD, 0)
		if err != nil || flags&unix.FD_CLOEXEC != 0 {
			break
		}
		n++
	}
	if err := unix.CloseRange(3, math.MaxUint32, unix.CLOSE_RANGE_CLOEXEC); err != nil {
		return 0, fmt.Errorf("cannot keep the caller's file descriptors from hooks: close_range: %w", err)
	}
	return n, nil
}

// checkPreserved refuses to hand on descriptors that the caller has not handed over: their numbers are
// those of files that this program opens itself. listen are for LISTEN_FDS, n for --preserve-fds.
func (a *app) checkPreserved(listen, n int) error {
	if listen <= a.inherited && n <= a.inherited-listen { // their sum may be above any int
		return nil
	}
	why := fmt.Sprintf("--preserve-fds %d", n)
	if listen > 0 {
		why = fmt.Sprintf("LISTEN_FDS=%d, %s", listen, why)
	}
	return fmt.Errorf("cannot preserve file descriptor %d (%s): it is not open", 3+a.inherited, why)
}
