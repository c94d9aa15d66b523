package cgroup

import "time"

// FakeWaitLimit changes how long Delete and Freeze wait.
func FakeWaitLimit(d time.Duration) (restore func()) {
	old := waitLimit
	waitLimit = d
	return func() { waitLimit = old }
}
