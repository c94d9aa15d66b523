package network

import (
	"errors"

	"github.com/vishvananda/netlink"
)

// dumpTries is how often a list is asked for that changes all the time.
const dumpTries = 100

// whole asks the kernel for a list until nothing has changed while it was told: otherwise something may be missing from it.
// It comes in several messages, and containers that start or end meanwhile are enough.
func whole[T any](ask func() (T, error)) (all T, err error) {
	for range dumpTries {
		if all, err = ask(); !errors.Is(err, netlink.ErrDumpInterrupted) {
			break
		}
	}
	return all, err
}
