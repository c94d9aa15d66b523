package integration

import (
	"os"
	"path/filepath"
	"syscall"
)

// Cache gives the directory that holds what is made or fetched once for all runs, $XDG_CACHE_HOME/dhow-test or
// /var/cache/dhow-test. It is locked under the name of what is to be made, as two runs may want to make the same.
func Cache(lock string) (dir string, unlock func(), err error) {
	if dir = os.Getenv("XDG_CACHE_HOME"); dir == "" {
		dir = "/var/cache"
	}
	dir = filepath.Join(dir, "dhow-test")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", nil, err
	}
	f, err := os.OpenFile(filepath.Join(dir, lock+".lock"), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return "", nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		f.Close()
		return "", nil, &os.PathError{Op: "flock", Path: f.Name(), Err: err}
	}
	return dir, func() { f.Close() }, nil
}
