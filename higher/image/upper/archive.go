package upper

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strings"
	"time"

	"github.com/dhow-containers/dhow/higher/userns"
	"golang.org/x/sys/unix"
)

// The names by which a layer says what is gone.
const (
	goneAbove = ".wh."
	goneAll   = ".wh..wh..opq"
)

// Archive writes what was changed as a layer, and tells whether there is anything. Sockets are left out, as in Docker.
func (t *Tree) Archive(ctx context.Context, w io.Writer) (changed bool, err error) {
	a := &archiver{tw: tar.NewWriter(w), ids: t.IDs, links: map[inode]string{}}
	err = t.walk(ctx, func(it *item) error {
		changed = true
		return a.add(it)
	})
	if err == nil {
		err = a.tw.Close()
	}
	return changed, err
}

type inode struct{ dev, ino uint64 }

type archiver struct {
	tw    *tar.Writer
	ids   *userns.Map
	links map[inode]string // first name of files that have several
}

func (a *archiver) add(it *item) error {
	name := strings.TrimPrefix(it.path, "/")
	switch {
	case it.kind == Deleted && it.dir < 0:
		return nil // the opaque directory says so
	case it.kind == Deleted:
		return a.tw.WriteHeader(&tar.Header{Name: path.Join(path.Dir(name), goneAbove+it.name), Typeflag: tar.TypeReg, ModTime: time.Unix(0, 0)})
	}
	uid, gid := a.ids.Container(int(it.stat.Uid), int(it.stat.Gid))
	h := &tar.Header{
		Name: name, Mode: int64(it.stat.Mode & 0o7777), Uid: uid, Gid: gid,
		ModTime: time.Unix(it.stat.Mtim.Unix()), Format: tar.FormatPAX,
	}
	switch it.stat.Mode & unix.S_IFMT {
	case unix.S_IFREG:
		return a.file(it, h)
	case unix.S_IFDIR:
		return a.directory(it, h)
	case unix.S_IFLNK:
		target, err := readlink(it)
		if err != nil {
			return err
		}
		h.Typeflag, h.Linkname = tar.TypeSymlink, target
	case unix.S_IFCHR, unix.S_IFBLK:
		h.Typeflag = tar.TypeChar
		if it.stat.Mode&unix.S_IFMT == unix.S_IFBLK {
			h.Typeflag = tar.TypeBlock
		}
		h.Devmajor, h.Devminor = int64(unix.Major(it.stat.Rdev)), int64(unix.Minor(it.stat.Rdev))
	case unix.S_IFIFO:
		h.Typeflag = tar.TypeFifo
	default:
		return nil
	}
	return a.tw.WriteHeader(h)
}

// again writes a file that was written under another name as a link to that.
func (a *archiver) again(it *item, h *tar.Header) (bool, error) {
	if it.stat.Nlink < 2 {
		return false, nil
	}
	key := inode{it.stat.Dev, it.stat.Ino}
	first, ok := a.links[key]
	if !ok {
		a.links[key] = h.Name
		return false, nil
	}
	h.Typeflag, h.Linkname = tar.TypeLink, first
	return true, a.tw.WriteHeader(h)
}

func (a *archiver) file(it *item, h *tar.Header) error {
	if done, err := a.again(it, h); done || err != nil {
		return err
	}
	f, err := openFile(it, unix.O_NONBLOCK)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	var st unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &st); err != nil || st.Mode&unix.S_IFMT != unix.S_IFREG || st.Ino != it.stat.Ino {
		return fmt.Errorf("cannot read %s: it was replaced meanwhile", it.path)
	}
	h.Typeflag, h.Size = tar.TypeReg, st.Size
	if err := a.xattrs(f, h); err != nil {
		return err
	}
	if err := a.tw.WriteHeader(h); err != nil {
		return err
	}
	if n, err := io.CopyN(a.tw, f, st.Size); err != nil {
		if errors.Is(err, io.EOF) {
			err = fmt.Errorf("it was cut to %d bytes meanwhile", n)
		}
		return fmt.Errorf("cannot read %s: %w", it.path, err)
	}
	return nil
}

func (a *archiver) directory(it *item, h *tar.Header) error {
	f, err := openFile(it, unix.O_DIRECTORY)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	h.Typeflag = tar.TypeDir
	h.Name += "/"
	if err := a.xattrs(f, h); err != nil {
		return err
	}
	if err := a.tw.WriteHeader(h); err != nil || !it.opaque {
		return err
	}
	return a.tw.WriteHeader(&tar.Header{Name: h.Name + goneAll, Typeflag: tar.TypeReg, ModTime: time.Unix(0, 0)})
}

func openFile(it *item, flags int) (*os.File, error) {
	fd, err := unix.Openat(it.dir, it.name, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_CLOEXEC|flags, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: it.path, Err: err}
	}
	return os.NewFile(uintptr(fd), it.path), nil
}

func readlink(it *item) (string, error) {
	buf := make([]byte, unix.PathMax)
	n, err := unix.Readlinkat(it.dir, it.name, buf)
	if err != nil {
		return "", &os.PathError{Op: "readlink", Path: it.path, Err: err}
	}
	return string(buf[:n]), nil
}

// capability is the extended attribute with the capabilities that a program gives (capabilities(7)).
const capability = "security.capability"

// xattrs enters the extended attributes of a file, but those of the overlay and of the host's security module.
func (a *archiver) xattrs(f *os.File, h *tar.Header) error {
	buf := make([]byte, 64<<10)
	n, err := unix.Flistxattr(int(f.Fd()), buf)
	if errors.Is(err, unix.ENOTSUP) {
		return nil
	}
	if err != nil {
		return &os.PathError{Op: "flistxattr", Path: f.Name(), Err: err}
	}
	value := make([]byte, 64<<10)
	for name := range strings.SplitSeq(string(buf[:n]), "\x00") {
		if name != capability && (!strings.HasPrefix(name, "user.") || strings.HasPrefix(name, "user.overlay.")) {
			continue
		}
		size, err := unix.Fgetxattr(int(f.Fd()), name, value)
		if err != nil {
			return &os.PathError{Op: "fgetxattr", Path: f.Name(), Err: err}
		}
		if h.PAXRecords == nil {
			h.PAXRecords = map[string]string{}
		}
		text := value[:size]
		if name == capability {
			text = a.ids.ContainerCapability(text)
		}
		h.PAXRecords["SCHILY.xattr."+name] = string(text)
	}
	return nil
}
