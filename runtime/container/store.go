package container

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sort"
	"strconv"

	"golang.org/x/sys/unix"
)

// A container's directory is handled through a descriptor: its name is looked up once.

// seccompCache is the directory of compiled filters beside the containers'; no id can have its name.
const seccompCache = "@seccomp"

// checkID refuses ids that are not names of a plain directory entry (security rule 7).
func checkID(id string) error {
	if id == "" {
		return errInvalid("cannot use the container id: it is empty")
	}
	for i := 0; i < len(id); i++ {
		c := id[i]
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		if !letter && c != '_' && c != '+' && c != '.' && c != '-' {
			return errInvalid("cannot use the container id %q: only letters, digits and _ + . - are allowed", id)
		}
	}
	if id == "." || id == ".." {
		return errInvalid("cannot use the container id %q: it names a directory", id)
	}
	if len(id) > unix.NAME_MAX {
		return errInvalid("cannot use the container id %q: longer than %d bytes", id, unix.NAME_MAX)
	}
	return nil
}

// openRoot opens the state root, made if missing.
func (s *Store) openRoot() (int, error) {
	fd, err := unix.Open(s.Root, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err == unix.ENOENT {
		if err := s.makeRoot(); err != nil {
			return -1, fmt.Errorf("cannot make the state directory (--root): %w", err)
		}
		fd, err = unix.Open(s.Root, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	}
	if err != nil {
		return -1, fmt.Errorf("cannot open the state directory (--root): %w", &fs.PathError{Op: "open", Path: s.Root, Err: err})
	}
	if err := s.checkOwn(fd); err != nil {
		unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

// makeRoot makes the state root. A user's default one gets the sticky bit, which keeps it from being tidied up
// (XDG Base Directory Specification, "XDG_RUNTIME_DIR").
func (s *Store) makeRoot() error {
	if err := os.MkdirAll(s.Root, 0o700); err != nil || !s.DefaultRoot || os.Geteuid() == 0 {
		return err
	}
	return os.Chmod(s.Root, 0o700|os.ModeSticky)
}

// checkOwn refuses a user's default state root that somebody else made: it may be below /tmp.
func (s *Store) checkOwn(root int) error {
	if !s.DefaultRoot || os.Geteuid() == 0 {
		return nil
	}
	var st unix.Stat_t
	if err := unix.Fstat(root, &st); err != nil {
		return err
	}
	if int(st.Uid) != os.Geteuid() || st.Mode&0o022 != 0 {
		return errInvalid("cannot use the state directory %s: others than user %d may write to it (choose another with --root)", s.Root, os.Geteuid())
	}
	return nil
}

// makeDir makes the directory of a new container and opens it.
func (s *Store) makeDir(id string) (int, error) {
	root, err := s.openRoot()
	if err != nil {
		return -1, err
	}
	defer unix.Close(root)
	switch err := unix.Mkdirat(root, id, 0o700); err {
	case nil:
	case unix.EEXIST:
		return -1, errExists(id)
	default:
		return -1, fmt.Errorf("cannot make the state directory (--root): %w", &fs.PathError{Op: "mkdir", Path: s.Root + "/" + id, Err: err})
	}
	dir, err := openDir(root, id)
	if err == unix.ENOENT {
		return -1, errDeleted(id)
	}
	return dir, err
}

func openDir(root int, id string) (int, error) {
	return unix.Openat(root, id, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
}

// removeDir removes the directory of a container, with the files that this package puts there.
func (s *Store) removeDir(id string, dir int) error {
	root, err := s.openRoot()
	if err != nil {
		return err
	}
	defer unix.Close(root)
	for _, name := range [...]string{"init", "start.sock", "steps", "state.json"} {
		unix.Unlinkat(dir, name, 0)
	}
	if removed(dir) {
		return nil
	}
	err = unix.Unlinkat(root, id, unix.AT_REMOVEDIR)
	// A crash has left a temporary file, there is more than usual, or a create that does not know yet that it is
	// condemned goes on making files.
	for tries := 0; err == unix.ENOTEMPTY && tries < maxFiles; tries++ {
		removeFiles(dir)
		err = unix.Unlinkat(root, id, unix.AT_REMOVEDIR)
	}
	if err != nil && err != unix.ENOENT && !removed(dir) {
		return fmt.Errorf("cannot remove the state of container %q: %w", id, err)
	}
	return nil
}

// maxFiles is more than the number of files that a create makes in its directory.
const maxFiles = 20

// removeFiles removes everything in a container's directory.
func removeFiles(dir int) {
	removeNotifyDir(dir)
	names, _ := directoryNames(dir)
	for _, name := range names {
		unix.Unlinkat(dir, name, 0)
	}
}

// removed says that somebody has removed the directory dir; its name may be another's now.
func removed(dir int) bool {
	var st unix.Stat_t
	return unix.Fstat(dir, &st) == nil && st.Nlink == 0
}

func directoryNames(dir int) ([]string, error) {
	fd, err := unix.Openat(dir, ".", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	f := os.NewFile(uintptr(fd), "state directory")
	defer f.Close()
	names, err := f.Readdirnames(-1)
	sort.Strings(names)
	return names, err
}

// handle is a container's record with its open, and possibly locked, directory.
type handle struct {
	*record
	store *Store
	dir   int
}

func (h *handle) close() { unix.Close(h.dir) }

// open finds a container.
func (s *Store) open(id string) (*handle, error) {
	if err := checkID(id); err != nil {
		return nil, err
	}
	root, err := unix.Open(s.Root, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err == nil {
		defer unix.Close(root)
		if err := s.checkOwn(root); err != nil {
			return nil, err
		}
		var dir int
		if dir, err = openDir(root, id); err == nil {
			return s.load(id, dir)
		}
	}
	if err == unix.ENOENT || err == unix.ENOTDIR {
		return nil, errNotFound(id)
	}
	return nil, fmt.Errorf("cannot open the state of container %q: %w", id, err)
}

func (s *Store) load(id string, dir int) (*handle, error) {
	r, err := readRecord(dir, id)
	if err != nil {
		unix.Close(dir)
		return nil, err
	}
	return &handle{r, s, dir}, nil
}

// lock keeps other verbs that change the container out until the handle is closed; it reads the record
// again, since the wait may have changed it.
func (h *handle) lock() error {
	if err := flock(h.dir, unix.LOCK_EX); err != nil {
		return fmt.Errorf("cannot lock container %q: %w", h.ID, err)
	}
	r, err := readRecord(h.dir, h.ID)
	if errors.Is(err, unix.ENOENT) {
		return errNotFound(h.ID)
	}
	if err == nil {
		h.record = r
	}
	return err
}

func flock(fd, how int) error {
	for {
		if err := unix.Flock(fd, how); err != unix.EINTR {
			return err
		}
	}
}

// path names a file in the container's directory through the descriptor, for calls that take only
// paths, and for socket addresses, which must be short.
func (h *handle) path(name string) string {
	return "/proc/self/fd/" + strconv.Itoa(h.dir) + "/" + name
}
