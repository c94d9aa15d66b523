package oci

import "golang.org/x/sys/unix"

// FakeForwarding has the host forward packets, or not.
func FakeForwarding(on bool) (restore func()) {
	old := forwarding
	forwarding = func() bool { return on }
	return func() { forwarding = old }
}

// FakeDevices has /dev be what every host has: the same numbers and owners everywhere.
func FakeDevices(nodes map[string]unix.Stat_t) (restore func()) {
	old := lstat
	lstat = func(path string, st *unix.Stat_t) error {
		node, ok := nodes[path]
		if !ok {
			return unix.ENOENT
		}
		*st = node
		return nil
	}
	return func() { lstat = old }
}
