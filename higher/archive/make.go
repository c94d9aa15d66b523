package archive

import (
	"archive/tar"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/dhow-containers/dhow/runtime/inroot"
	"golang.org/x/sys/unix"
)

// make makes a file of any kind in a directory; merged says that the directory is there already.
func (x *extractor) make(parent *os.File, base string, h *tar.Header, content io.Reader, merged bool) error {
	dir := int(parent.Fd())
	switch h.Typeflag {
	case tar.TypeDir:
		if merged {
			return nil
		}
		return unix.Mkdirat(dir, base, 0o700)
	case tar.TypeReg:
		return file(dir, base, content)
	case tar.TypeSymlink:
		return unix.Symlinkat(h.Linkname, dir, base)
	case tar.TypeLink:
		return x.link(dir, base, h.Linkname)
	case tar.TypeChar:
		return node(dir, base, unix.S_IFCHR, h)
	case tar.TypeBlock:
		return node(dir, base, unix.S_IFBLK, h)
	case tar.TypeFifo:
		return node(dir, base, unix.S_IFIFO, h)
	default:
		return invalidf("unhandled tar header type %d", h.Typeflag)
	}
}

func file(dir int, base string, content io.Reader) error {
	fd, err := unix.Openat(dir, base, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return err
	}
	f := os.NewFile(uintptr(fd), base)
	if _, err := io.Copy(f, content); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}

func node(dir int, base string, kind uint32, h *tar.Header) error {
	if h.Devmajor < 0 || h.Devmajor > 1<<12-1 || h.Devminor < 0 || h.Devminor > 1<<20-1 {
		return invalidf("no device has the number %d:%d", h.Devmajor, h.Devminor)
	}
	return unix.Mknodat(dir, base, kind|0o600, int(unix.Mkdev(uint32(h.Devmajor), uint32(h.Devminor))))
}

// link makes another name of a file that is below the directory, too. A symbolic link at the end of the target's name
// is not followed, and those on the way only inside.
func (x *extractor) link(dir int, base, target string) error {
	local, err := localName(target)
	if err != nil || local == "." {
		return invalidf("invalid hardlink target %q", target)
	}
	above, err := inroot.Open(int(x.dir.Fd()), path.Dir(local), unix.O_PATH|unix.O_DIRECTORY)
	if err != nil {
		return fmt.Errorf("link to %s: %w", target, err)
	}
	defer unix.Close(above)
	if err := unix.Linkat(above, path.Base(local), dir, base, 0); err != nil {
		return fmt.Errorf("link to %s: %w", target, err)
	}
	return nil
}

// attributes gives a file its owner, then what a change of owner takes away, then the times.
func (x *extractor) attributes(parent *os.File, base string, h *tar.Header, owner Owner) error {
	dir := int(parent.Fd())
	if err := unix.Fchownat(dir, base, owner.UID, owner.GID, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return fmt.Errorf("owner %d:%d: %w", owner.UID, owner.GID, err)
	}
	self := fmt.Sprintf("/proc/self/fd/%d/%s", dir, base) // the last part of which Lsetxattr does not follow
	for key, value := range h.PAXRecords {
		name, ok := strings.CutPrefix(key, paxAttribute)
		if !ok {
			continue
		}
		if name == capabilityAttribute {
			value = string(x.options.IDs.HostCapability([]byte(value)))
		}
		if err := unix.Lsetxattr(self, name, []byte(value), 0); err != nil && err != unix.EPERM && err != unix.ENOTSUP {
			return fmt.Errorf("extended attribute %s: %w", name, err)
		}
	}
	if h.Typeflag != tar.TypeSymlink {
		if err := chmod(dir, base, uint32(h.Mode)&0o7777); err != nil {
			return err
		}
	}
	return unix.UtimesNanoAt(dir, base, times(h), unix.AT_SYMLINK_NOFOLLOW)
}

// chmod changes a mode without following a link that has come in the way: fchmodat(2) can do so from Linux 6.6 on.
func chmod(dir int, base string, mode uint32) error {
	fd, err := unix.Openat(dir, base, unix.O_PATH|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	return unix.Chmod("/proc/self/fd/"+strconv.Itoa(fd), mode) // ELOOP or ENOTSUP for a link
}

// removeAll removes a file, or a directory with all that is in it.
func removeAll(parent *os.File, base string) error {
	dir := int(parent.Fd())
	err := unix.Unlinkat(dir, base, 0)
	if err != unix.EISDIR && err != unix.EPERM {
		return err
	}
	fd, err := unix.Openat(dir, base, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	below := os.NewFile(uintptr(fd), base)
	defer below.Close()
	if err := sameMount(parent, below); err != nil {
		return err
	}
	names, err := below.Readdirnames(-1)
	if err != nil {
		return err
	}
	for _, name := range names {
		if err := removeAll(below, name); err != nil && err != unix.ENOENT {
			return err
		}
	}
	return unix.Unlinkat(dir, base, unix.AT_REMOVEDIR)
}

// sameMount refuses to empty what is mounted in the container.
func sameMount(a, b *os.File) error {
	var sa, sb unix.Statx_t
	if err := unix.Statx(int(a.Fd()), "", unix.AT_EMPTY_PATH, unix.STATX_MNT_ID, &sa); err != nil {
		return err
	}
	if err := unix.Statx(int(b.Fd()), "", unix.AT_EMPTY_PATH, unix.STATX_MNT_ID, &sb); err != nil {
		return err
	}
	if sa.Mnt_id != sb.Mnt_id {
		return unix.EBUSY
	}
	return nil
}

func sortByName(entries []fs.DirEntry) {
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
}
