package spec

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// maxConfigSize bounds how much of a bundle's config.json is read into memory, in bytes.
const maxConfigSize = 16 << 20

// Load reads and checks the config.json of a bundle. Errors of the file system wrap their errno; what is wrong with
// the content is a *Problems or an error of Decode.
func Load(bundle string) (*Document, error) {
	data, err := readConfig(bundle)
	if err != nil {
		return nil, fmt.Errorf("cannot read bundle %q: %w", bundle, err)
	}
	doc, err := Decode(data)
	if err != nil {
		return nil, err
	}
	if err := Validate(doc.Spec); err != nil {
		return nil, err
	}
	return doc, nil
}

// readConfig reads config.json with plain system calls: os.Open would start the runtime's poller, which costs as
// much as decoding.
func readConfig(bundle string) ([]byte, error) {
	dir, err := open(unix.AT_FDCWD, bundle, unix.O_PATH|unix.O_DIRECTORY)
	if err != nil {
		return nil, err
	}
	defer unix.Close(dir)
	file, err := open(dir, "config.json", unix.O_RDONLY|unix.O_NONBLOCK)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("no config.json: %w", err)
	}
	if err != nil {
		return nil, fmt.Errorf("config.json: %w", err)
	}
	defer unix.Close(file)
	data, err := readFile(file)
	if err != nil {
		return nil, fmt.Errorf("config.json: %w", err)
	}
	return data, nil
}

func open(dir int, name string, flags int) (int, error) {
	for {
		fd, err := unix.Openat(dir, name, flags|unix.O_CLOEXEC, 0)
		if err != unix.EINTR {
			return fd, err
		}
	}
}

// readFile reads a regular file to its end.
func readFile(fd int) ([]byte, error) {
	var stat unix.Stat_t
	if err := unix.Fstat(fd, &stat); err != nil {
		return nil, err
	}
	switch {
	case stat.Mode&unix.S_IFMT != unix.S_IFREG:
		return nil, errors.New("not a regular file")
	case stat.Size > maxConfigSize:
		return nil, fmt.Errorf("%d bytes are more than the maximum of %d", stat.Size, maxConfigSize)
	}
	// One byte more than the size, so that a file that grows meanwhile is noticed as such, not cut.
	data := make([]byte, stat.Size+1)
	length := 0
	for length < len(data) {
		n, err := unix.Read(fd, data[length:])
		if err == unix.EINTR {
			continue
		}
		if err != nil || n == 0 {
			return data[:length], err
		}
		length += n
	}
	return nil, errors.New("the file grew while it was read")
}
