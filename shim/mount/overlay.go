package mount

import (
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// lowers finds the lower directories of an overlay; at is their place in data, -1 when there are none.
func lowers(data []string) (at int, dirs []string) {
	for i, o := range data {
		if list, ok := strings.CutPrefix(o, "lowerdir="); ok {
			return i, strings.Split(list, ":")
		}
	}
	return -1, nil
}

// common is the directory that all of dirs are in.
func common(dirs []string) string {
	base := filepath.Dir(dirs[0])
	for _, d := range dirs {
		for base != "/" && base != "." && !strings.HasPrefix(d, base+"/") {
			base = filepath.Dir(base)
		}
	}
	return base
}

// below names dirs, which are in the directory base, as they are in another.
func below(other, base string, dirs []string) []string {
	list := make([]string, len(dirs))
	for i, d := range dirs {
		list[i] = other + strings.TrimPrefix(strings.TrimPrefix(d, base), "/")
	}
	return list
}

// shorten makes the lower directories of an overlay relative to the directory that they have in common.
func shorten(data []string) (base, short string) {
	at, dirs := lowers(data)
	if at < 0 {
		return "/", strings.Join(data, ",")
	}
	base = common(dirs)
	list := append([]string{}, data...)
	list[at] = "lowerdir=" + strings.Join(below("", base, dirs), ":")
	return base, strings.Join(list, ",")
}

// within calls f on a thread whose working directory is dir. The thread ends with it.
func within(dir string, f func() error) error {
	result := make(chan error)
	go OnThread(func() { result <- inDirectory(dir, f) })
	return <-result
}

func inDirectory(dir string, f func() error) error {
	if err := unix.Unshare(unix.CLONE_FS); err != nil {
		return os.NewSyscallError("unshare", err)
	}
	if err := unix.Chdir(dir); err != nil {
		return os.NewSyscallError("chdir", err)
	}
	return f()
}
