package cgroup

import (
	"time"

	"golang.org/x/sys/unix"
)

// FakeWaitLimit changes how long Delete and Freeze wait.
func FakeWaitLimit(d time.Duration) (restore func()) {
	old := waitLimit
	waitLimit = d
	return func() { waitLimit = old }
}

// StatsBelow reads statistics from directories that are on no control group
// file system.
func StatsBelow(paths map[string]string) (*Stats, error) {
	return readStats(paths, func(path string) (int, error) {
		return openRetry(unix.AT_FDCWD, path, unix.O_PATH|unix.O_DIRECTORY)
	})
}
