package localtar

import (
	"archive/tar"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// Write writes an archive of e under its name, or its new one.
func Write(e Entry, w io.Writer) error {
	dir, base := Split(e.Path)
	name := base
	if e.Renamed != "" {
		name = e.Renamed
	}
	t := &writer{Writer: tar.NewWriter(w), seen: map[inode]string{}}
	root := filepath.Join(dir, base)
	err := filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		inside := name
		if rel != "." {
			inside = name + "/" + rel
		}
		return t.add(path, inside)
	})
	if err != nil {
		return err
	}
	return t.Close()
}

type inode struct{ dev, ino uint64 }

type writer struct {
	*tar.Writer
	seen map[inode]string // files with several names, by their first
}

func (t *writer) add(path, name string) error {
	s, err := os.Lstat(path)
	if err != nil {
		return err
	}
	if s.Mode()&os.ModeSocket != 0 {
		return nil // a socket is nothing without the process behind it
	}
	link := ""
	if s.Mode()&os.ModeSymlink != 0 {
		if link, err = os.Readlink(path); err != nil {
			return err
		}
	}
	h, err := tar.FileInfoHeader(s, link)
	if err != nil {
		return err
	}
	h.Name, h.Uname, h.Gname, h.Format = name, "", "", tar.FormatPAX
	if s.IsDir() {
		h.Name += "/"
	}
	if first := t.first(s, name); first != "" {
		h.Typeflag, h.Linkname, h.Size = tar.TypeLink, first, 0
	}
	if err := t.WriteHeader(h); err != nil || h.Typeflag != tar.TypeReg {
		return err
	}
	return t.content(path, h.Size)
}

// first returns the name under which a file with several names was written already.
func (t *writer) first(s fs.FileInfo, name string) string {
	u, ok := s.Sys().(*syscall.Stat_t)
	if !ok || !s.Mode().IsRegular() || u.Nlink < 2 {
		return ""
	}
	i := inode{uint64(u.Dev), u.Ino}
	if first := t.seen[i]; first != "" {
		return first
	}
	t.seen[i] = name
	return ""
}

// content copies as many bytes as the header has promised, even if the file grows meanwhile.
func (t *writer) content(path string, size int64) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	n, err := io.CopyN(t, f, size)
	if errors.Is(err, io.EOF) && n < size {
		return errors.New("file shrank while it was read: " + path)
	}
	return err
}

// Rename copies an archive and changes the first part of its names from old to new.
func Rename(r io.Reader, w io.Writer, old, new string) error {
	in, out := tar.NewReader(r), tar.NewWriter(w)
	if old == "/" {
		old = ""
	}
	for {
		h, err := in.Next()
		if err == io.EOF {
			return out.Close()
		}
		if err != nil {
			return err
		}
		h.Name = strings.Replace(h.Name, old, new, 1)
		if h.Typeflag == tar.TypeLink {
			h.Linkname = strings.Replace(h.Linkname, old, new, 1)
		}
		h.Format = tar.FormatPAX
		if err := out.WriteHeader(h); err != nil {
			return err
		}
		if _, err := io.Copy(out, in); err != nil {
			return err
		}
	}
}
