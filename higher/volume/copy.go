package volume

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// maxDepth bounds the recursion, and so the descriptors that are open at a time.
const maxDepth = 256

// copier copies a tree. Nothing in either tree is followed: every name is opened relative to the descriptor of its
// directory, and never through a symbolic link.
type copier struct {
	root  *os.File         // of the copy
	links map[inode]string // where files with several names have been copied to, below root
	xattr []byte           // room for names of extended attributes
	value []byte           // and for a value
}

type inode struct{ dev, ino uint64 }

// copyTree copies all that is in a directory into another, which is empty, with owners, modes, times, extended
// attributes and hard links; of symbolic links everything but extended attributes.
func copyTree(from, to *os.File) error {
	c := &copier{root: to, links: map[inode]string{}, xattr: make([]byte, 64<<10), value: make([]byte, 64<<10)}
	if err := c.directory(from, to, ".", 0); err != nil {
		return err
	}
	return c.attributes(from, to)
}

// directory copies what is in one; below is its name from the root of the copy.
func (c *copier) directory(from, to *os.File, below string, depth int) error {
	if depth > maxDepth {
		return fmt.Errorf("directories are nested deeper than %d", maxDepth)
	}
	names, err := from.Readdirnames(-1)
	if err != nil {
		return err
	}
	for _, name := range names {
		if err := c.entry(from, to, name, below+"/"+name, depth); err != nil {
			return fmt.Errorf("cannot copy %s: %w", name, err)
		}
	}
	return nil
}

func (c *copier) entry(from, to *os.File, name, below string, depth int) error {
	var st unix.Stat_t
	if err := unix.Fstatat(int(from.Fd()), name, &st, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return err
	}
	kind := st.Mode & unix.S_IFMT
	if kind == unix.S_IFDIR {
		return c.subdirectory(from, to, name, below, depth)
	}
	if st.Nlink > 1 {
		id := inode{st.Dev, st.Ino}
		if first, ok := c.links[id]; ok {
			return c.link(first, to, name)
		}
		c.links[id] = below
	}
	switch kind {
	case unix.S_IFREG:
		return c.file(from, to, name)
	case unix.S_IFLNK:
		return symlink(from, to, name, &st)
	default:
		return node(to, name, &st)
	}
}

// open opens a name in a directory, which must not be a link.
func open(dir *os.File, name string, flags int, mode uint32) (*os.File, error) {
	fd, err := unix.Openat(int(dir.Fd()), name, flags|unix.O_NOFOLLOW|unix.O_CLOEXEC, mode)
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), name), nil
}

func (c *copier) subdirectory(from, to *os.File, name, below string, depth int) error {
	if err := unix.Mkdirat(int(to.Fd()), name, 0o700); err != nil {
		return err
	}
	in, err := open(from, name, unix.O_RDONLY|unix.O_DIRECTORY, 0)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := open(to, name, unix.O_RDONLY|unix.O_DIRECTORY, 0)
	if err != nil {
		return err
	}
	defer out.Close()
	if err := c.directory(in, out, below, depth+1); err != nil {
		return err
	}
	return c.attributes(in, out)
}

func (c *copier) file(from, to *os.File, name string) error {
	in, err := open(from, name, unix.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := open(to, name, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer out.Close()
	if _, err := io.Copy(out, in); err != nil {
		return err
	}
	if err := c.attributes(in, out); err != nil {
		return err
	}
	return out.Close()
}

// link makes another name of what has been copied to first. A container that uses the volume already may have put
// something else in its way, even a link to somewhere outside: none is followed.
func (c *copier) link(first string, to *os.File, name string) error {
	how := &unix.OpenHow{Flags: unix.O_PATH | unix.O_NOFOLLOW | unix.O_CLOEXEC, Resolve: unix.RESOLVE_BENEATH | unix.RESOLVE_NO_SYMLINKS}
	fd, err := unix.Openat2(int(c.root.Fd()), first, how)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	return unix.Linkat(unix.AT_FDCWD, "/proc/self/fd/"+strconv.Itoa(fd), int(to.Fd()), name, unix.AT_SYMLINK_FOLLOW)
}

func symlink(from, to *os.File, name string, st *unix.Stat_t) error {
	buf := make([]byte, unix.PathMax)
	n, err := unix.Readlinkat(int(from.Fd()), name, buf)
	if err != nil {
		return err
	}
	if err := unix.Symlinkat(string(buf[:n]), int(to.Fd()), name); err != nil {
		return err
	}
	return adopt(to, name, st)
}

// node makes a device, a FIFO or a socket.
func node(to *os.File, name string, st *unix.Stat_t) error {
	if err := unix.Mknodat(int(to.Fd()), name, st.Mode&unix.S_IFMT|0o600, int(st.Rdev)); err != nil {
		return err
	}
	if err := adopt(to, name, st); err != nil {
		return err
	}
	fd, err := open(to, name, unix.O_PATH, 0)
	if err != nil {
		return err
	}
	defer fd.Close()
	return unix.Chmod("/proc/self/fd/"+strconv.Itoa(int(fd.Fd())), st.Mode&0o7777)
}

// adopt gives what has no content owner and times.
func adopt(to *os.File, name string, st *unix.Stat_t) error {
	if err := unix.Fchownat(int(to.Fd()), name, int(st.Uid), int(st.Gid), unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return err
	}
	return unix.UtimesNanoAt(int(to.Fd()), name, []unix.Timespec{st.Atim, st.Mtim}, unix.AT_SYMLINK_NOFOLLOW)
}

// attributes gives a copy its owner, then what a change of owner takes away: mode and extended attributes (of which one
// holds capabilities); then the times.
func (c *copier) attributes(from, to *os.File) error {
	var st unix.Stat_t
	if err := unix.Fstat(int(from.Fd()), &st); err != nil {
		return err
	}
	if err := to.Chown(int(st.Uid), int(st.Gid)); err != nil {
		return err
	}
	if err := unix.Fchmod(int(to.Fd()), st.Mode&0o7777); err != nil {
		return err
	}
	if err := c.extended(int(from.Fd()), int(to.Fd())); err != nil {
		return err
	}
	return unix.UtimesNanoAt(int(to.Fd()), "", []unix.Timespec{st.Atim, st.Mtim}, unix.AT_EMPTY_PATH)
}

// extended copies extended attributes, those aside that the file system of the volume does not have.
func (c *copier) extended(from, to int) error {
	n, err := unix.Flistxattr(from, c.xattr)
	if errors.Is(err, unix.ENOTSUP) {
		return nil
	}
	if err != nil {
		return err
	}
	for name := range strings.SplitSeq(string(c.xattr[:n]), "\x00") {
		if name == "" {
			continue
		}
		size, err := unix.Fgetxattr(from, name, c.value)
		if err == nil {
			err = unix.Fsetxattr(to, name, c.value[:size], 0)
		}
		if err != nil && err != unix.ENOTSUP && err != unix.ENODATA {
			return fmt.Errorf("extended attribute %s: %w", name, err)
		}
	}
	return nil
}
