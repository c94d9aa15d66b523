package localtar

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Entry is one end of a copy.
type Entry struct {
	Path    string // a trailing slash or /. is kept: it says that a folder is meant
	Exists  bool
	Dir     bool
	Renamed string // the name in the archive if not that of Path
}

// Absolute makes path absolute; its trailing slash or dot stays.
func Absolute(path string) (string, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	return keepEnd(abs, path), nil
}

func keepEnd(cleaned, original string) string {
	if currentDir(original) && !currentDir(cleaned) {
		cleaned = slash(cleaned) + "."
	}
	if strings.HasSuffix(original, "/") {
		cleaned = slash(cleaned)
	}
	return cleaned
}

func slash(p string) string {
	if strings.HasSuffix(p, "/") {
		return p
	}
	return p + "/"
}

func currentDir(p string) bool { return filepath.Base(p) == "." }

// Split returns folder and name; the name of a folder's content is a dot.
func Split(path string) (dir, base string) {
	p := filepath.Clean(path)
	if currentDir(path) {
		p = slash(p) + "."
	}
	return filepath.Dir(p), filepath.Base(p)
}

// Follow replaces path by what the link there leads to, and returns the name that the copy keeps.
func Follow(path, target string) (resolved, renamed string) {
	resolved = keepEnd(target, path)
	if filepath.Base(path) != filepath.Base(resolved) {
		renamed = filepath.Base(path)
	}
	return resolved, renamed
}

// Source looks at a local path that is copied from. Links in its folder are followed; the last one only if follow says so.
func Source(path string, follow bool) (Entry, error) {
	e := Entry{Exists: true}
	if follow {
		target, err := filepath.EvalSymlinks(path)
		if err != nil {
			return e, err
		}
		e.Path, e.Renamed = Follow(path, target)
	} else {
		dir, base := filepath.Split(path)
		target, err := filepath.EvalSymlinks(filepath.Clean(dir))
		if err != nil {
			return e, err
		}
		e.Path = slash(target) + base
		if base == "" || base == "." {
			e.Path = keepEnd(target, path)
			if n := filepath.Base(filepath.Clean(path)); n != filepath.Base(filepath.Clean(e.Path)) && base == "" {
				e.Renamed = n
			}
		}
	}
	s, err := os.Lstat(e.Path)
	if err != nil {
		return e, err
	}
	e.Dir = s.IsDir()
	return e, nil
}

// Destination looks at a local path that is copied to, through links.
func Destination(path string) (Entry, error) {
	original := path
	for range 10 {
		s, err := os.Lstat(path)
		if errors.Is(err, os.ErrNotExist) {
			dir, _ := Split(path)
			if s, err := os.Stat(dir); err != nil || !s.IsDir() {
				if err == nil {
					err = errors.New("not a directory")
				}
				return Entry{}, err
			}
			return Entry{Path: path}, nil
		}
		if err != nil {
			return Entry{}, err
		}
		if s.Mode()&os.ModeSymlink == 0 {
			if strings.HasSuffix(original, "/") && !s.IsDir() {
				return Entry{}, fmt.Errorf("%s: not a directory", original)
			}
			return Entry{Path: path, Exists: true, Dir: s.IsDir()}, nil
		}
		target, err := os.Readlink(path)
		if err != nil {
			return Entry{}, err
		}
		if !filepath.IsAbs(target) {
			dir, _ := Split(path)
			target = filepath.Join(dir, target)
		}
		path = target
	}
	return Entry{}, fmt.Errorf("%s: too many symbolic links", original)
}

// Place says where to extract a copy of from, and how its first name changes on the way, as cp(1) would have it.
func Place(from, to Entry) (dir, oldName, newName string, err error) {
	_, base := Split(from.Path)
	if from.Renamed != "" {
		base = from.Renamed
	}
	parent, name := Split(to.Path)
	switch {
	case to.Exists && to.Dir:
		return to.Path, "", "", nil
	case to.Exists && from.Dir:
		return "", "", "", errors.New("cannot copy directory")
	case !to.Exists && !from.Dir && (strings.HasSuffix(to.Path, "/") || currentDir(to.Path)):
		return "", "", "", errors.New("no such directory")
	}
	return parent, base, name, nil
}
