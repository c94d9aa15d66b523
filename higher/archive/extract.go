package archive

import (
	"archive/tar"
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/dhow-containers/dhow/higher/decompress"
	"github.com/dhow-containers/dhow/higher/userns"
	"github.com/dhow-containers/dhow/higher/volume"
	"github.com/dhow-containers/dhow/runtime/inroot"
	"golang.org/x/sys/unix"
)

// Owner is a user and a group.
type Owner struct{ UID, GID int }

// ExtractOptions are about what is there already, and about who shall own what comes.
type ExtractOptions struct {
	NoOverwriteDirNonDir bool        // a directory does not take the place of something else, nor the other way round
	Owner                *Owner      // of everything; nil for the archive's own
	IDs                  *userns.Map // of the container: owners in archives are as it has them
	// Mounts of the container, and whether its root is read-only: what is read-only for it is so for an archive.
	Mounts   []volume.Mount
	ReadOnly bool
}

// Extract unpacks an archive, compressed or not, into the directory at a path.
func Extract(root *os.File, p string, o ExtractOptions, r io.Reader) error {
	p = clean(p)
	fd, err := inroot.Open(int(root.Fd()), p, unix.O_RDONLY|unix.O_DIRECTORY)
	if err == unix.ENOTDIR {
		return invalidf("extraction point is not a directory")
	}
	if err != nil {
		return about(p, err)
	}
	dir := os.NewFile(uintptr(fd), p)
	defer dir.Close()
	if unreal, err := pseudo(dir); err != nil || unreal {
		return invalidf("cannot extract into %s: it is a file system of the kernel's", p)
	}
	real, err := evaluate(root, p)
	if err != nil {
		return about(p, err)
	}
	if err := writable(real, &o); err != nil {
		return err
	}
	plain, err := decompress.Archive(bufio.NewReaderSize(r, 64<<10))
	if err != nil {
		return invalidf("cannot read the archive: %v", err)
	}
	defer plain.Close()
	x := &extractor{dir: dir, options: o}
	return x.all(tar.NewReader(plain))
}

// writable checks the place of an archive against the read-only flags of the container, in Docker's words.
func writable(real string, o *ExtractOptions) error {
	var deepest *volume.Mount
	for i := range o.Mounts {
		m := &o.Mounts[i]
		in := real == m.Destination || strings.HasPrefix(real, m.Destination+"/")
		if in && (deepest == nil || len(m.Destination) > len(deepest.Destination)) {
			deepest = m
		}
	}
	switch {
	case deepest != nil && !deepest.RW:
		return invalidf("mounted volume is marked read-only")
	case deepest == nil && o.ReadOnly:
		return invalidf("container rootfs is marked read-only")
	}
	return nil
}

// extractor unpacks below one directory: names, links in the way and targets of hard links are resolved inside of it.
type extractor struct {
	dir     *os.File
	options ExtractOptions
	dirs    []*tar.Header // whose times are set at the end
}

func (x *extractor) all(r *tar.Reader) error {
	for {
		h, err := r.Next()
		if err == io.EOF {
			return x.dirTimes()
		}
		if err != nil {
			return invalidf("%v", err)
		}
		if h.Typeflag == tar.TypeXGlobalHeader {
			continue
		}
		if h.Name, err = localName(h.Name); err != nil {
			return err
		}
		if h.Name == "." {
			continue
		}
		if err := x.one(h, r); err != nil {
			return fmt.Errorf("cannot extract %s: %w", h.Name, err)
		}
	}
}

// localName is a name in the archive, relative to where it is unpacked.
func localName(name string) (string, error) {
	local := path.Clean(strings.TrimLeft(name, "/"))
	if !filepath.IsLocal(local) || strings.ContainsRune(local, 0) {
		return "", invalidf("invalid entry name %q: it leads out of the directory", name)
	}
	return local, nil
}

// one makes one file. What is in its place goes, unless both are directories.
func (x *extractor) one(h *tar.Header, content io.Reader) error {
	owner, err := x.owner(h)
	if err != nil {
		return err // before anything has made room for it
	}
	parent, err := x.parent(h.Name)
	if err != nil {
		return err
	}
	defer parent.Close()
	base := path.Base(h.Name)
	merged, err := x.makeRoom(parent, base, h)
	if err != nil {
		return err
	}
	if err := x.make(parent, base, h, content, merged); err != nil {
		return err
	}
	if h.Typeflag == tar.TypeLink {
		return nil // its attributes are those of the file
	}
	if h.Typeflag == tar.TypeDir {
		x.dirs = append(x.dirs, h)
	}
	return x.attributes(parent, base, h, owner)
}

// owner is who a file shall belong to, as the host has it.
func (x *extractor) owner(h *tar.Header) (o Owner, err error) {
	if o = (Owner{h.Uid, h.Gid}); x.options.Owner != nil {
		o = *x.options.Owner
	}
	o.UID, o.GID, err = x.options.IDs.Host(o.UID, o.GID)
	return o, err
}

// parent opens the directory that a name is in, and makes what is missing of it.
func (x *extractor) parent(name string) (*os.File, error) {
	dir := path.Dir(name)
	fd, err := inroot.Open(int(x.dir.Fd()), dir, unix.O_RDONLY|unix.O_DIRECTORY)
	if err == unix.ENOENT && dir != "." {
		above, err := x.parent(dir)
		if err != nil {
			return nil, err
		}
		defer above.Close()
		base := path.Base(dir)
		if err := unix.Mkdirat(int(above.Fd()), base, 0o755); err != nil {
			return nil, err // EEXIST: a link to nowhere
		}
		fd, err = unix.Openat(int(above.Fd()), base, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
		if err != nil {
			return nil, err
		}
		return x.owned(os.NewFile(uintptr(fd), dir))
	}
	if err != nil {
		return nil, err
	}
	f := os.NewFile(uintptr(fd), dir)
	if unreal, err := pseudo(f); err != nil || unreal {
		return nil, errors.Join(invalidf("%s is a file system of the kernel's", dir), err, f.Close())
	}
	return f, nil
}

// owned gives a directory that the archive does not mention its owner.
func (x *extractor) owned(dir *os.File) (*os.File, error) {
	var o Owner
	if x.options.Owner != nil {
		o = *x.options.Owner
	} else if x.options.IDs == nil {
		return dir, nil // it is root's
	}
	uid, gid, err := x.options.IDs.Host(o.UID, o.GID)
	if err == nil {
		err = dir.Chown(uid, gid)
	}
	if err != nil {
		return nil, errors.Join(err, dir.Close())
	}
	return dir, nil
}

// makeRoom removes what is in the way; merged says that it is a directory that becomes the new one.
func (x *extractor) makeRoom(parent *os.File, base string, h *tar.Header) (merged bool, err error) {
	var st unix.Stat_t
	err = unix.Fstatat(int(parent.Fd()), base, &st, unix.AT_SYMLINK_NOFOLLOW)
	if err == unix.ENOENT {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	is, becomes := st.Mode&unix.S_IFMT == unix.S_IFDIR, h.Typeflag == tar.TypeDir
	switch {
	case is && becomes:
		return true, nil
	case x.options.NoOverwriteDirNonDir && is:
		return false, invalidf("cannot overwrite directory %q with non-directory %q", h.Name, x.dir.Name())
	case x.options.NoOverwriteDirNonDir && becomes:
		return false, invalidf("cannot overwrite non-directory %q with directory %q", h.Name, x.dir.Name())
	}
	return false, removeAll(parent, base)
}

// dirTimes sets the times of directories, which change with what is put in them.
func (x *extractor) dirTimes() error {
	for _, h := range x.dirs {
		how := &unix.OpenHow{Flags: unix.O_PATH | unix.O_DIRECTORY | unix.O_CLOEXEC, Resolve: unix.RESOLVE_IN_ROOT | unix.RESOLVE_NO_MAGICLINKS}
		fd, err := unix.Openat2(int(x.dir.Fd()), h.Name, how)
		if err != nil {
			continue // the container has changed it meanwhile
		}
		err = unix.UtimesNanoAt(fd, "", times(h), unix.AT_EMPTY_PATH)
		unix.Close(fd)
		if err != nil {
			return fmt.Errorf("cannot set the time of %s: %w", h.Name, err)
		}
	}
	return nil
}

// times are those of access and of change, within what file systems have.
func times(h *tar.Header) []unix.Timespec {
	changed := bounded(h.ModTime)
	used := changed
	if h.AccessTime.After(h.ModTime) {
		used = bounded(h.AccessTime)
	}
	return []unix.Timespec{used, changed}
}

func bounded(t time.Time) unix.Timespec {
	const last = 1<<34 - 1 // of ext4
	if s := t.Unix(); s < 0 || s > last {
		return unix.Timespec{}
	}
	return unix.Timespec{Sec: t.Unix(), Nsec: int64(t.Nanosecond())}
}
