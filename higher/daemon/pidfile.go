package daemon

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Lock claims a data root for this process, until it ends: two daemons on one would destroy each other's records.
func Lock(root string) (*os.File, error) {
	if err := os.MkdirAll(root, 0o711); err != nil {
		return nil, fmt.Errorf("cannot make the data root: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(root, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("cannot lock the data root: %w", err)
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		f.Close()
		if errors.Is(err, unix.EWOULDBLOCK) {
			return nil, fmt.Errorf("cannot use the data root %s: another dhowd uses it", root)
		}
		return nil, fmt.Errorf("cannot lock the data root: %w", err)
	}
	return f, nil
}

// WritePidfile writes the process's id to a file, unless a process that still runs has done so; "" is no file. remove
// takes it away.
func WritePidfile(path string) (remove func(), err error) {
	if path == "" {
		return func() {}, nil
	}
	if old, err := os.ReadFile(path); err == nil {
		pid, err := strconv.Atoi(strings.TrimSpace(string(old)))
		if err == nil && pid != os.Getpid() && runs(pid) {
			return nil, fmt.Errorf("cannot start: process %d, which still runs, has the pid file %s", pid, path)
		}
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, fmt.Errorf("cannot write the pid file (--pidfile): %w", err)
	}
	if err := os.WriteFile(path, []byte(strconv.Itoa(os.Getpid())), 0o644); err != nil {
		return nil, fmt.Errorf("cannot write the pid file (--pidfile): %w", err)
	}
	return func() { os.Remove(path) }, nil
}

// runs says whether a process of this program has the pid.
func runs(pid int) bool {
	own, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return false
	}
	other, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", pid))
	return err == nil && strings.TrimSuffix(other, " (deleted)") == strings.TrimSuffix(own, " (deleted)")
}
