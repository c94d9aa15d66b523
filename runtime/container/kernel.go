package container

import (
	"bytes"
	"strconv"

	"golang.org/x/sys/unix"
)

// The oldest kernel that has all that every container needs: openat2 (5.6), clone3 into a cgroup (5.7),
// the new mount API with mount_setattr (5.12), cgroup.kill (5.14).
const (
	floorMajor = 5
	floorMinor = 14
)

// uname is replaced by tests.
var uname = unix.Uname

// CheckKernel refuses kernels below the floor.
func CheckKernel() error {
	var u unix.Utsname
	if err := uname(&u); err != nil {
		return nil
	}
	release := u.Release[:max(bytes.IndexByte(u.Release[:], 0), 0)]
	major, rest := number(release)
	minor, _ := number(bytes.TrimPrefix(rest, []byte(".")))
	if major > floorMajor || major == floorMajor && minor >= floorMinor {
		return nil
	}
	return errInvalid("cannot run containers on Linux %s: at least %d.%d is needed, for mount_setattr(2) and cgroup.kill",
		release, floorMajor, floorMinor)
}

// number reads decimal digits at the start of b.
func number(b []byte) (n int, rest []byte) {
	end := 0
	for end < len(b) && b[end] >= '0' && b[end] <= '9' {
		end++
	}
	n, _ = strconv.Atoi(string(b[:end]))
	return n, b[end:]
}
