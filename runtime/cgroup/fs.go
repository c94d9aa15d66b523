package cgroup

import (
	"io/fs"
	"strings"

	"golang.org/x/sys/unix"
)

// The helpers of this file make plain system calls: package os would register
// each control file with the runtime's poller, two more calls per file.

// fields splits at white space.
func fields(s string) []string { return strings.Fields(s) }

// readFile reads a whole small file by path.
func readFile(path string) ([]byte, error) { return readAt(unix.AT_FDCWD, path, path) }

// readAt reads a whole small file below a directory. The path is for errors.
func readAt(dir int, name, path string) ([]byte, error) {
	fd, err := openRetry(dir, name, unix.O_RDONLY|unix.O_NOFOLLOW)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	defer unix.Close(fd)
	buf := make([]byte, 0, 4096)
	for {
		n, err := retry(func() (int, error) { return unix.Read(fd, buf[len(buf):cap(buf)]) })
		if err != nil {
			return nil, &fs.PathError{Op: "read", Path: path, Err: err}
		}
		if n == 0 {
			return buf, nil
		}
		if buf = buf[:len(buf)+n]; len(buf) == cap(buf) {
			buf = append(buf, make([]byte, cap(buf))...)[:len(buf)]
		}
	}
}

// writeAt gives a control file its value in the one write(2) that the kernel
// takes for a whole value. The path is for errors.
func writeAt(dir int, name, value, path string) error {
	fd, err := openRetry(dir, name, unix.O_WRONLY|unix.O_NOFOLLOW)
	if err != nil {
		return &fs.PathError{Op: "open", Path: path, Err: err}
	}
	defer unix.Close(fd)
	return writeValue(fd, value, path)
}

func writeValue(fd int, value, path string) error {
	if _, err := retry(func() (int, error) { return unix.Write(fd, []byte(value)) }); err != nil {
		return &fs.PathError{Op: "write", Path: path, Err: err}
	}
	return nil
}

// openRetry opens a name below a directory, close-on-exec.
func openRetry(dir int, name string, flags int) (int, error) {
	return retry(func() (int, error) { return unix.Openat(dir, name, flags|unix.O_CLOEXEC, 0) })
}

// openBeneath opens a directory of a hierarchy for use as a directory fd only.
// The kernel resolves rel without leaving the hierarchy: no "..", no symbolic
// link, no other mount.
func openBeneath(root int, rel string) (int, error) {
	how := unix.OpenHow{
		Flags:   unix.O_PATH | unix.O_DIRECTORY | unix.O_CLOEXEC,
		Resolve: unix.RESOLVE_BENEATH | unix.RESOLVE_NO_SYMLINKS | unix.RESOLVE_NO_XDEV,
	}
	return retry(func() (int, error) { return unix.Openat2(root, rel, &how) })
}

// retry repeats a system call that a signal interrupted (the Go scheduler sends
// them), and an openat2 that lost a race with a rename.
func retry(f func() (int, error)) (int, error) {
	for range 128 {
		n, err := f()
		if err != unix.EINTR && err != unix.EAGAIN {
			return n, err
		}
	}
	return f()
}

// openGroup opens the directory of an existing group. It refuses a directory
// that is not on a control group file system.
func openGroup(path string) (int, error) {
	fd, err := openRetry(unix.AT_FDCWD, path, unix.O_PATH|unix.O_DIRECTORY|unix.O_NOFOLLOW)
	if err != nil {
		return -1, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	if !isCgroupFS(fd) {
		unix.Close(fd)
		return -1, badConfig("%s is not on a cgroup file system", path)
	}
	return fd, nil
}

func isCgroupFS(fd int) bool {
	var st unix.Statfs_t
	if unix.Fstatfs(fd, &st) != nil {
		return false
	}
	return st.Type == unix.CGROUP2_SUPER_MAGIC || st.Type == unix.CGROUP_SUPER_MAGIC
}
