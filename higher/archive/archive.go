package archive

import (
	"context"
	"io"
	"os"

	"github.com/containerd/errdefs"
	"github.com/dhow-containers/dhow/higher/volume"
	"github.com/dhow-containers/dhow/shim/api"
	types "github.com/moby/moby/api/types/container"
)

// Stat looks at a path, of which the last part is not followed if it is a symbolic link; LinkTarget is where that
// leads inside the container. A path that ends with "/" or "/." wants a directory.
func Stat(root *os.File, path string) (*types.PathStat, error) {
	return nil, errdefs.ErrNotImplemented
}

// Write writes an archive of what is at a path: a file, or a directory under its own name with all that is in it; a
// symbolic link at its end is not followed, unless the path ends with "/" or "/.".
func Write(root *os.File, path string, w io.Writer) error { return errdefs.ErrNotImplemented }

// ExtractOptions are about what is there already.
type ExtractOptions struct {
	NoOverwriteDirNonDir bool // a directory does not take the place of something else, nor the other way round
	CopyUIDGID           bool // owners are those of the archive, else the directory's own owner: root
	UID, GID             int  // the owner of everything if !CopyUIDGID
}

// Extract unpacks an archive, compressed or not, into the directory at a path.
func Extract(root *os.File, path string, o ExtractOptions, r io.Reader) error {
	return errdefs.ErrNotImplemented
}

// Export writes an archive of the whole file system of root, without what is mounted in it.
func Export(root *os.File, w io.Writer) error { return errdefs.ErrNotImplemented }

// Mounted calls f with the root directory of a container that does not run: rootfs mounted as the shim would, and
// mounts in it. Nobody else sees these mounts, and nothing of them is left when it returns, or when the process dies.
// f may use descriptors only, and may leave no goroutine behind.
func Mounted(ctx context.Context, rootfs []*api.Mount, mounts []volume.Mount, f func(root *os.File) error) error {
	return errdefs.ErrNotImplemented
}

// OpenRoot opens the root directory of a container that does not run, without any of its mounts: to look up users, to
// populate volumes, to export. Nobody else sees the mount, which is gone when the descriptor is closed.
func OpenRoot(rootfs []*api.Mount) (*os.File, error) { return nil, errdefs.ErrNotImplemented }
