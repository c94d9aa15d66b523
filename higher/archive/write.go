package archive

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/dhow-containers/dhow/higher/userns"
	"golang.org/x/sys/unix"
)

// Write writes an archive of what is at a path: a file, or a directory under its own name with all that is in it; a
// symbolic link at its end is not followed, unless the path ends with "/" or "/.". What goes away meanwhile is left out.
// Owners are as the container has them, by ids.
func Write(root *os.File, p string, ids *userns.Map, w io.Writer) error {
	p = clean(p)
	f, err := open(root, p)
	if err != nil {
		return about(p, err)
	}
	defer f.Close()
	if unreal, err := pseudo(f); err != nil || unreal {
		return notFound(p)
	}
	base := path.Base(p)
	switch {
	case p == "/":
		base = ""
	case strings.HasSuffix(p, "/."):
		base = "."
	}
	return pack(f, base, ids, w)
}

// Export writes an archive of the whole file system of root, without what is mounted in it.
func Export(root *os.File, ids *userns.Map, w io.Writer) error {
	a := newArchiver(ids, w)
	a.oneMount = true
	dir, err := reopen(root, unix.O_RDONLY|unix.O_DIRECTORY)
	if err != nil {
		return err
	}
	defer dir.Close()
	if err := a.list(dir, "", 0); err != nil {
		return err
	}
	return a.tar.Close()
}

func pack(f *os.File, base string, ids *userns.Map, w io.Writer) error {
	a := newArchiver(ids, w)
	if err := a.add(f, base, 0, 0); err != nil {
		return err
	}
	return a.tar.Close()
}

// archiver writes an archive of files that it has descriptors of: nothing in the tree is followed.
type archiver struct {
	tar      *tar.Writer
	ids      *userns.Map
	seen     map[inode]string // names of files that have several
	oneMount bool             // whether mounts are left out
	value    []byte           // room for an extended attribute
}

type inode struct{ dev, ino uint64 }

func newArchiver(ids *userns.Map, w io.Writer) *archiver {
	return &archiver{tar: tar.NewWriter(w), ids: ids, seen: map[inode]string{}, value: make([]byte, 4096)}
}

// maxDepth bounds the recursion, and so the descriptors that are open at a time.
const maxDepth = 512

// add adds one file, of which f is an O_PATH descriptor; parent is the mount that its directory is on, 0 for none.
func (a *archiver) add(f *os.File, name string, parent uint64, depth int) error {
	var st unix.Statx_t
	if err := unix.Statx(int(f.Fd()), "", unix.AT_EMPTY_PATH, unix.STATX_BASIC_STATS|unix.STATX_MNT_ID, &st); err != nil {
		return err
	}
	kind := uint32(st.Mode) & unix.S_IFMT
	if kind == unix.S_IFSOCK || depth > maxDepth {
		return nil // tar has nothing for it
	}
	h, err := a.header(f, name, &st)
	if err != nil {
		return err
	}
	if kind != unix.S_IFDIR && st.Nlink > 1 {
		id := inode{unix.Mkdev(st.Dev_major, st.Dev_minor), st.Ino}
		if first, ok := a.seen[id]; ok {
			h.Typeflag, h.Linkname, h.Size = tar.TypeLink, first, 0
			return a.tar.WriteHeader(h)
		}
		a.seen[id] = h.Name
	}
	switch kind {
	case unix.S_IFREG:
		return a.content(f, h)
	case unix.S_IFDIR:
		return a.directory(f, h, &st, parent, depth)
	}
	return a.tar.WriteHeader(h)
}

func (a *archiver) header(f *os.File, name string, st *unix.Statx_t) (*tar.Header, error) {
	uid, gid := a.ids.Container(int(st.Uid), int(st.Gid))
	h := &tar.Header{
		Format: tar.FormatPAX, Name: name, Mode: int64(st.Mode & 0o7777), Uid: uid, Gid: gid,
		ModTime: time.Unix(st.Mtime.Sec, 0),
	}
	switch uint32(st.Mode) & unix.S_IFMT {
	case unix.S_IFREG:
		h.Typeflag, h.Size = tar.TypeReg, int64(st.Size)
	case unix.S_IFDIR:
		h.Typeflag, h.Name = tar.TypeDir, name+"/"
	case unix.S_IFLNK:
		h.Typeflag = tar.TypeSymlink
		buf := make([]byte, unix.PathMax)
		n, err := unix.Readlinkat(int(f.Fd()), "", buf)
		if err != nil {
			return nil, err
		}
		h.Linkname = string(buf[:n])
	case unix.S_IFCHR:
		h.Typeflag, h.Devmajor, h.Devminor = tar.TypeChar, int64(st.Rdev_major), int64(st.Rdev_minor)
	case unix.S_IFBLK:
		h.Typeflag, h.Devmajor, h.Devminor = tar.TypeBlock, int64(st.Rdev_major), int64(st.Rdev_minor)
	case unix.S_IFIFO:
		h.Typeflag = tar.TypeFifo
	}
	if h.Typeflag == tar.TypeReg {
		a.capability(f, h)
	}
	return h, nil
}

// capabilityAttribute is the one extended attribute that goes along, as with Docker.
const capabilityAttribute = "security.capability"

func (a *archiver) capability(f *os.File, h *tar.Header) {
	n, err := unix.Getxattr("/proc/self/fd/"+strconv.Itoa(int(f.Fd())), capabilityAttribute, a.value)
	if err == nil && n > 0 {
		h.PAXRecords = map[string]string{paxAttribute + capabilityAttribute: string(a.ids.ContainerCapability(a.value[:n]))}
	}
}

// paxAttribute begins the name of an extended attribute in an archive.
const paxAttribute = "SCHILY.xattr."

// content writes a file. It has the length that its header says, whatever becomes of it meanwhile.
func (a *archiver) content(f *os.File, h *tar.Header) error {
	in, err := reopen(f, unix.O_RDONLY|unix.O_NONBLOCK) // f is a regular file, known from fstat
	if err != nil {
		return fmt.Errorf("cannot read %s: %w", h.Name, err)
	}
	defer in.Close()
	if err := a.tar.WriteHeader(h); err != nil {
		return err
	}
	n, err := io.Copy(a.tar, io.LimitReader(in, h.Size))
	if err != nil {
		return fmt.Errorf("cannot archive %s: %w", h.Name, err)
	}
	_, err = io.CopyN(a.tar, zeros{}, h.Size-n)
	return err
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// directory writes a directory, and what is in it unless something is mounted on it that is not storage.
func (a *archiver) directory(f *os.File, h *tar.Header, st *unix.Statx_t, parent uint64, depth int) error {
	if err := a.tar.WriteHeader(h); err != nil {
		return err
	}
	if parent != 0 && st.Mnt_id != parent {
		if skip, err := a.skips(f, st); err != nil || skip {
			return err
		}
	}
	dir, err := reopen(f, unix.O_RDONLY|unix.O_DIRECTORY)
	if err != nil {
		return fmt.Errorf("cannot list %s: %w", h.Name, err)
	}
	defer dir.Close()
	return a.list(dir, h.Name, depth)
}

// skips says whether what is mounted on a directory stays out of an archive: the kernel's file systems, and a tmpfs
// (/dev, --tmpfs), which is no storage. A volume may lie on one; but only of a whole tmpfs the root is number 1.
func (a *archiver) skips(f *os.File, st *unix.Statx_t) (bool, error) {
	if a.oneMount {
		return true, nil
	}
	var fs unix.Statfs_t
	if err := unix.Fstatfs(int(f.Fd()), &fs); err != nil {
		return false, err
	}
	return pseudoTypes[fs.Type] || fs.Type == unix.TMPFS_MAGIC && st.Ino == 1, nil
}

// list adds what is in a directory, in the order of the names.
func (a *archiver) list(dir *os.File, below string, depth int) error {
	var st unix.Statx_t
	if err := unix.Statx(int(dir.Fd()), "", unix.AT_EMPTY_PATH, unix.STATX_MNT_ID, &st); err != nil {
		return err
	}
	entries, err := dir.ReadDir(-1)
	if err != nil {
		return fmt.Errorf("cannot list %s: %w", below, err)
	}
	sortByName(entries)
	for _, e := range entries {
		if err := a.entry(dir, e.Name(), below, st.Mnt_id, depth); err != nil {
			return err
		}
	}
	return nil
}

func (a *archiver) entry(dir *os.File, name, below string, mount uint64, depth int) error {
	fd, err := unix.Openat(int(dir.Fd()), name, unix.O_PATH|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("cannot open %s%s: %w", below, name, err)
	}
	f := os.NewFile(uintptr(fd), name)
	defer f.Close()
	return a.add(f, below+name, mount, depth+1)
}

// reopen opens what an O_PATH descriptor stands for.
func reopen(f *os.File, flags int) (*os.File, error) {
	fd, err := unix.Open("/proc/self/fd/"+strconv.Itoa(int(f.Fd())), flags|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), f.Name()), nil
}
