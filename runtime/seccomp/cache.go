package seccomp

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/runtime/seccomp/internal/compiled"
)

// cache is an open cache directory.
type cache struct{ fd int }

// openCache opens dir, making it if it is missing, and checks that nobody else can write to it.
func openCache(dir string) (cache, error) {
	const flags = unix.O_RDONLY | unix.O_DIRECTORY | unix.O_NOFOLLOW | unix.O_CLOEXEC
	fd, err := open(unix.AT_FDCWD, dir, flags, 0)
	if err == unix.ENOENT {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return cache{}, fmt.Errorf("cannot make the seccomp cache: %w", err)
		}
		fd, err = open(unix.AT_FDCWD, dir, flags, 0)
	}
	if err != nil {
		return cache{}, fmt.Errorf("cannot open the seccomp cache %s: %w", dir, err)
	}
	if _, err := owned(fd, unix.S_IFDIR|0o700); err != nil {
		unix.Close(fd)
		return cache{}, fmt.Errorf("cannot use the seccomp cache %s: %w", dir, err)
	}
	return cache{fd}, nil
}

func (c cache) close() { unix.Close(c.fd) }

// get returns the filter of an entry, or nil.
func (c cache) get(k key) *Filter {
	// O_NONBLOCK: a FIFO must not hold us up.
	const flags = unix.O_RDONLY | unix.O_NOFOLLOW | unix.O_NONBLOCK | unix.O_CLOEXEC
	fd, err := open(c.fd, k.name(), flags, 0)
	if err != nil {
		return nil
	}
	defer unix.Close(fd)
	size, err := owned(fd, unix.S_IFREG|0o600)
	if err != nil || size > int64(k.size()+compiled.MaxSize) {
		return nil
	}
	entry := make([]byte, size)
	if readFull(fd, entry) != nil {
		return nil
	}
	return parseEntry(k, entry)
}

// parseEntry reads an entry: its key and a blob. The filter shares its memory.
func parseEntry(k key, entry []byte) *Filter {
	blob, ok := k.blob(entry)
	if !ok {
		return nil
	}
	filter, err := compiled.Decode(blob)
	if err != nil {
		return nil
	}
	return filter
}

// owned checks the owner, type and mode of an open file, and returns its size.
func owned(fd int, mode uint32) (int64, error) {
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return 0, fmt.Errorf("fstat: %w", err)
	}
	if uid := unix.Geteuid(); int(st.Uid) != uid {
		return 0, fmt.Errorf("its owner is user %d, not %d", st.Uid, uid)
	}
	if st.Mode != mode {
		return 0, fmt.Errorf("its type and mode are %#o, not %#o", st.Mode, mode)
	}
	return st.Size, nil
}

func open(dirfd int, name string, flags int, mode uint32) (int, error) {
	for {
		fd, err := unix.Openat(dirfd, name, flags, mode)
		if err != unix.EINTR {
			return fd, err
		}
	}
}

// readFull fills b from the start of the file.
func readFull(fd int, b []byte) error {
	for off := 0; off < len(b); {
		n, err := unix.Pread(fd, b[off:], int64(off))
		switch {
		case err == unix.EINTR:
		case err != nil:
			return err
		case n == 0:
			return unix.EIO // shorter than its size said
		default:
			off += n
		}
	}
	return nil
}
