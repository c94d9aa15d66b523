package archive

import (
	"os"
	"path"
	"strings"

	"github.com/dhow-containers/dhow/runtime/inroot"
	"golang.org/x/sys/unix"
)

// clean makes a client's path absolute. What it ends with, "/" or "/.", says that it means a directory and what is in
// it, and stays.
func clean(p string) string {
	c := path.Clean("/" + p)
	switch {
	case c == "/":
		return c
	case strings.HasSuffix(p, "/.") || p == ".":
		return c + "/."
	case strings.HasSuffix(p, "/"):
		return c + "/"
	}
	return c
}

// open opens what a cleaned path leads to. A link at its end is not followed, unless a directory is meant.
func open(root *os.File, p string) (*os.File, error) {
	flags := uint64(unix.O_PATH)
	if strings.HasSuffix(p, "/") || strings.HasSuffix(p, "/.") {
		flags |= unix.O_DIRECTORY
	} else {
		flags |= unix.O_NOFOLLOW
	}
	fd, err := inroot.Open(int(root.Fd()), p, flags)
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), p), nil
}

// maxLinks is the kernel's limit of links in a path.
const maxLinks = 40

// evaluate follows the links of a path as far as they lead to something, and returns where that is below root. It is
// for people to read and for comparing with the places of mounts: nothing is opened by it.
func evaluate(root *os.File, p string) (string, error) {
	done, rest, links := "/", strings.Trim(p, "/"), 0
	for rest != "" {
		part, more, _ := strings.Cut(rest, "/")
		rest = more
		switch part {
		case "", ".":
			continue
		case "..":
			done = path.Dir(done)
			continue
		}
		target, ok := readLink(root, path.Join(done, part))
		if !ok {
			done = path.Join(done, part)
			continue
		}
		if links++; links > maxLinks {
			return "", unix.ELOOP
		}
		if path.IsAbs(target) {
			done = "/"
		}
		rest = strings.TrimSuffix(strings.Trim(target, "/")+"/"+rest, "/")
	}
	return done, nil
}

// readLink reads a symbolic link; ok is whether there is one.
func readLink(root *os.File, p string) (target string, ok bool) {
	fd, err := inroot.Open(int(root.Fd()), p, unix.O_PATH|unix.O_NOFOLLOW)
	if err != nil {
		return "", false
	}
	defer unix.Close(fd)
	buf := make([]byte, unix.PathMax)
	n, err := unix.Readlinkat(fd, "", buf)
	if err != nil {
		return "", false
	}
	return string(buf[:n]), true
}
