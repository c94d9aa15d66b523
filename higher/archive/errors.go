package archive

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/containerd/errdefs"
	"github.com/dhow-containers/dhow/higher/api"
	"golang.org/x/sys/unix"
)

// invalidf is an error about what a client asked for, or about its archive.
func invalidf(format string, args ...any) error {
	return api.Errorf(errdefs.ErrInvalidArgument, format, args...)
}

// notFound is an error about a path that is not there; the caller knows what the container is called.
func notFound(path string) error {
	return api.Errorf(errdefs.ErrNotFound, "no such file or directory: %s", path)
}

// about gives an error of a system call the class that clients are to see.
func about(path string, err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return notFound(path)
	case errors.Is(err, unix.ENOTDIR):
		return invalidf("%s: not a directory", path)
	case errors.Is(err, unix.ELOOP):
		return invalidf("%s: too many levels of symbolic links", path)
	default:
		return fmt.Errorf("%s: %w", path, err)
	}
}
