package logfile

import "time"

// FakeNow makes the time of entries, and returns what takes that back.
func FakeNow(f func() time.Time) (restore func()) {
	old := now
	now = f
	return func() { now = old }
}
