package upper

import (
	"errors"
	"os"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// Kind says what became of a path.
type Kind int

// The kinds of changes.
const (
	Modified Kind = iota
	Added
	Deleted
)

// item is a change, with the directory that it is in.
type item struct {
	kind   Kind
	path   string // from the root, with a slash before it
	name   string
	dir    int // descriptor of the directory in the upper tree; of no use for what was deleted
	stat   unix.Stat_t
	opaque bool // a directory in place of one below, of which nothing is seen
}

// walker goes through the upper directory, beside the ones below.
type walker struct {
	visit func(*item) error
}

// Xattrs by which an overlay marks a directory as opaque.
var opaqueXattrs = []string{"trusted.overlay.opaque", "user.overlay.opaque"}

// walk visits the changes in a directory and below it, in the order of their names. lowers are the same directory in the
// layers below, those that can be seen, the top one first.
func (w *walker) walk(dir int, lowers []int, path string) error {
	names, err := list(dir)
	if err != nil {
		return err
	}
	for _, name := range names {
		if err := w.entry(dir, lowers, path, name); err != nil {
			return err
		}
	}
	return nil
}

func (w *walker) entry(dir int, lowers []int, path, name string) error {
	it := &item{path: path + "/" + name, name: name, dir: dir}
	if err := unix.Fstatat(dir, name, &it.stat, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		if errors.Is(err, unix.ENOENT) {
			return nil // the container has removed it meanwhile
		}
		return &os.PathError{Op: "stat", Path: it.path, Err: err}
	}
	below, exists, err := look(lowers, name)
	if err != nil {
		return err
	}
	defer func() { closeAll(below) }()
	switch {
	case whiteout(&it.stat):
		if !exists {
			return nil
		}
		it.kind = Deleted
	case !exists:
		it.kind = Added
	}
	if it.stat.Mode&unix.S_IFMT != unix.S_IFDIR {
		return w.visit(it)
	}
	fd, err := unix.Openat(dir, name, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENOTDIR) || errors.Is(err, unix.ELOOP) {
		return nil // changed meanwhile
	}
	if err != nil {
		return &os.PathError{Op: "open", Path: it.path, Err: err}
	}
	defer unix.Close(fd)
	it.opaque = isOpaque(fd) && len(below) > 0
	if err := w.visit(it); err != nil {
		return err
	}
	if it.opaque {
		if err := w.hidden(fd, below, it.path); err != nil {
			return err
		}
		closeAll(below)
		below = nil
	}
	return w.walk(fd, below, it.path)
}

// hidden visits, as deleted, what an opaque directory hides and has not itself.
func (w *walker) hidden(dir int, below []int, path string) error {
	var gone []string
	for _, b := range below {
		names, err := list(b)
		if err != nil {
			return err
		}
		gone = append(gone, names...)
	}
	slices.Sort(gone)
	for _, name := range slices.Compact(gone) {
		seen, exists, err := look(below, name)
		closeAll(seen)
		if err != nil {
			return err
		}
		var st unix.Stat_t
		if !exists || unix.Fstatat(dir, name, &st, unix.AT_SYMLINK_NOFOLLOW) == nil {
			continue
		}
		if err := w.visit(&item{kind: Deleted, path: path + "/" + name, name: name, dir: -1}); err != nil {
			return err
		}
	}
	return nil
}

// look finds a name in the layers below: whether it can be seen, and if it is a directory, its parts in each layer.
func look(lowers []int, name string) (below []int, exists bool, err error) {
	for _, dir := range lowers {
		var st unix.Stat_t
		if err := unix.Fstatat(dir, name, &st, unix.AT_SYMLINK_NOFOLLOW); err != nil {
			if errors.Is(err, unix.ENOENT) {
				continue
			}
			closeAll(below)
			return nil, false, &os.PathError{Op: "stat", Path: name, Err: err}
		}
		if whiteout(&st) || exists && st.Mode&unix.S_IFMT != unix.S_IFDIR {
			break
		}
		exists = true
		if st.Mode&unix.S_IFMT != unix.S_IFDIR {
			break
		}
		fd, err := unix.Openat(dir, name, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
		if err != nil {
			closeAll(below)
			return nil, false, &os.PathError{Op: "open", Path: name, Err: err}
		}
		below = append(below, fd)
		if isOpaque(fd) {
			break
		}
	}
	return below, exists, nil
}

func closeAll(fds []int) {
	for _, fd := range fds {
		unix.Close(fd)
	}
}

// whiteout says whether a file is how an overlay notes that one below is gone.
func whiteout(st *unix.Stat_t) bool {
	return st.Mode&unix.S_IFMT == unix.S_IFCHR && st.Rdev == 0
}

func isOpaque(fd int) bool {
	var b [1]byte
	for _, name := range opaqueXattrs {
		if n, err := unix.Fgetxattr(fd, name, b[:]); err == nil && n == 1 && b[0] == 'y' {
			return true
		}
	}
	return false
}

// list is the names in a directory, sorted.
func list(dir int) ([]string, error) {
	fd, err := unix.Openat(dir, ".", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, os.NewSyscallError("openat", err)
	}
	f := os.NewFile(uintptr(fd), "directory")
	names, err := f.Readdirnames(-1)
	_ = f.Close()
	slices.SortFunc(names, strings.Compare)
	return names, err
}
