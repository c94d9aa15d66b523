// Package inroot opens what lies below a container's root directory as a process in the container would find it: an
// absolute symbolic link leads to that root, and no link leads out of it (openat2(2), RESOLVE_IN_ROOT). What is there
// belongs to whoever made the image, or to the container.
package inroot

import (
	"strconv"

	"golang.org/x/sys/unix"
)

// Open opens name below the directory root, close-on-exec.
func Open(root int, name string, flags uint64) (int, error) {
	return unix.Openat2(root, "./"+name, &unix.OpenHow{Flags: flags | unix.O_CLOEXEC,
		Resolve: unix.RESOLVE_IN_ROOT | unix.RESOLVE_NO_MAGICLINKS})
}

// Stat looks at the file that name leads to.
func Stat(root int, name string) (st unix.Stat_t, err error) {
	fd, err := Open(root, name, unix.O_PATH)
	if err != nil {
		return st, err
	}
	defer unix.Close(fd)
	err = unix.Fstat(fd, &st)
	return st, err
}

// Read reads the first limit bytes of a regular file; anything else is EINVAL, and is not even opened: with a device
// node that alone may do something to the host, start a watchdog for example, and a FIFO may wait for a writer.
func Read(root int, name string, limit int) ([]byte, error) {
	path, err := Open(root, name, unix.O_PATH)
	if err != nil {
		return nil, err
	}
	defer unix.Close(path)
	var st unix.Stat_t
	if err := unix.Fstat(path, &st); err != nil {
		return nil, err
	}
	if st.Mode&unix.S_IFMT != unix.S_IFREG {
		return nil, unix.EINVAL
	}
	fd, err := unix.Open("/proc/self/fd/"+strconv.Itoa(path), unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	defer unix.Close(fd)
	data := make([]byte, min(st.Size, int64(limit)))
	n, err := unix.Pread(fd, data, 0)
	return data[:max(n, 0)], err
}
