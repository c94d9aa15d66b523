package localtar

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strings"

	"golang.org/x/sys/unix"
)

// Extract writes an archive into dir. Names and links that lead out of dir are errors: os.Root resolves each of them in the
// kernel below dir. owners keeps the numbers of owner and group, which takes root.
func Extract(r io.Reader, dir string, owners bool) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	x := &extractor{root: root, owners: owners}
	t := tar.NewReader(r)
	for {
		h, err := t.Next()
		if err == io.EOF {
			return x.finish()
		}
		if err != nil {
			return err
		}
		if err := x.entry(h, t); err != nil {
			return fmt.Errorf("cannot extract %s: %w", h.Name, err)
		}
	}
}

type extractor struct {
	root   *os.Root
	owners bool
	dirs   []*tar.Header // their times are set when nothing is written into them any more
}

func (x *extractor) entry(h *tar.Header, r io.Reader) error {
	name := strings.TrimPrefix(path.Clean(h.Name), "/")
	if name == "" {
		name = "."
	}
	h.Name = name
	if h.Typeflag == tar.TypeXGlobalHeader {
		return nil
	}
	if err := x.makeWay(h); err != nil {
		return err
	}
	if err := x.make(h, r); err != nil {
		return err
	}
	if x.owners {
		if err := x.root.Lchown(name, h.Uid, h.Gid); err != nil {
			return err
		}
	}
	switch h.Typeflag {
	case tar.TypeSymlink, tar.TypeLink:
		return nil
	case tar.TypeDir:
		x.dirs = append(x.dirs, h)
	}
	if err := x.root.Chmod(name, h.FileInfo().Mode()&^os.ModeType); err != nil {
		return err
	}
	return x.root.Chtimes(name, h.ModTime, h.ModTime)
}

// makeWay makes the folders above an entry, and takes away what the entry replaces: never a folder for something else.
func (x *extractor) makeWay(h *tar.Header) error {
	if d := path.Dir(h.Name); d != "." {
		if err := x.root.MkdirAll(d, 0o755); err != nil {
			return err
		}
	}
	s, err := x.root.Lstat(h.Name)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil
	case err != nil:
		return err
	case s.IsDir() && h.Typeflag != tar.TypeDir:
		return fmt.Errorf("cannot overwrite directory %q with non-directory", h.Name)
	case !s.IsDir() && h.Typeflag == tar.TypeDir:
		return fmt.Errorf("cannot overwrite non-directory %q with directory", h.Name)
	case s.IsDir():
		return nil
	}
	return x.root.Remove(h.Name)
}

func (x *extractor) make(h *tar.Header, r io.Reader) error {
	switch h.Typeflag {
	case tar.TypeDir:
		err := x.root.Mkdir(h.Name, 0o755)
		if errors.Is(err, os.ErrExist) {
			return nil
		}
		return err
	case tar.TypeReg:
		f, err := x.root.OpenFile(h.Name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		if err != nil {
			return err
		}
		_, err = io.Copy(f, r)
		if e := f.Close(); err == nil {
			err = e
		}
		return err
	case tar.TypeSymlink:
		return x.root.Symlink(h.Linkname, h.Name)
	case tar.TypeLink:
		return x.root.Link(strings.TrimPrefix(path.Clean(h.Linkname), "/"), h.Name)
	case tar.TypeChar, tar.TypeBlock, tar.TypeFifo:
		return x.node(h)
	}
	return fmt.Errorf("unhandled type %q", h.Typeflag)
}

// node makes a device or a named pipe in its folder, which is opened below the root.
func (x *extractor) node(h *tar.Header) error {
	d, err := x.root.Open(path.Dir(h.Name))
	if err != nil {
		return err
	}
	defer d.Close()
	kind := map[byte]uint32{tar.TypeChar: unix.S_IFCHR, tar.TypeBlock: unix.S_IFBLK, tar.TypeFifo: unix.S_IFIFO}[h.Typeflag]
	return unix.Mknodat(int(d.Fd()), path.Base(h.Name), kind|uint32(h.Mode&0o7777), int(unix.Mkdev(uint32(h.Devmajor), uint32(h.Devminor))))
}

func (x *extractor) finish() error {
	for _, h := range x.dirs {
		if err := x.root.Chtimes(h.Name, h.ModTime, h.ModTime); err != nil {
			return err
		}
	}
	return nil
}
