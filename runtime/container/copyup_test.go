package container

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// copied copies one directory into another with descriptors as the init sends them, and checks that they are closed.
func copied(t *testing.T, from, to string) error {
	t.Helper()
	var fds []int
	for _, dir := range []string{from, to} {
		fd, err := unix.Open(dir, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		fds = append(fds, fd)
	}
	err := copyUp(fds)
	for _, fd := range fds {
		if _, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err != unix.EBADF {
			t.Errorf("descriptor %d stays open", fd)
		}
	}
	return err
}

// image is a tree with all that an image may have; made by root only.
func image(t *testing.T) string {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("needs root, for owners and devices")
	}
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	for _, name := range []string{"dir/sub", "sealed"} {
		try(t, os.MkdirAll(at(name), 0o700))
	}
	for name, text := range map[string]string{"plain": "text\n", "empty": "", "big": strings.Repeat("0123456789abcdef", 1<<14), "setuid": "#!", "secret": "x",
		"dir/inner": "a", "dir/sub/deep": "b", "sealed/file": "c", "odd \n name": "d", "-rf": "e"} {
		try(t, os.WriteFile(at(name), []byte(text), 0o600))
	}
	for name, target := range map[string]string{"absolute": "/etc/passwd", "dangling": "/nonexistent/x", "up": "../..", "loop": "loop", "dir/link": "inner"} {
		try(t, os.Symlink(target, at(name)))
	}
	try(t, unix.Mkfifo(at("fifo"), 0o600))
	try(t, unix.Mknod(at("null"), unix.S_IFCHR|0o600, int(unix.Mkdev(1, 3))))
	try(t, unix.Mknod(at("socket"), unix.S_IFSOCK|0o600, 0))
	for name, mode := range map[string]uint32{"setuid": 0o6755, "secret": 0, "dir": 0o1777, "dir/sub": 0o2750, "sealed": 0o555, "fifo": 0o622, "null": 0o666} {
		owner := len(name)
		try(t, os.Lchown(at(name), 1000+owner, 50+owner))
		try(t, unix.Chmod(at(name), mode)) // after the change of owner, which takes setuid away
	}
	try(t, os.Lchown(at("absolute"), 7, 8))
	for _, name := range []string{"plain", "dir/inner", "sealed/file", "fifo", "dir/sub", "dir", "sealed"} {
		old := []unix.Timespec{{Sec: 1e9, Nsec: 123456789}, {Sec: int64(len(name)) * 1e6, Nsec: 987654321}}
		try(t, unix.UtimesNanoAt(unix.AT_FDCWD, at(name), old, unix.AT_SYMLINK_NOFOLLOW))
	}
	return dir
}

func try(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// tree describes everything below a directory.
func tree(t *testing.T, dir string) map[string]unix.Stat_t {
	t.Helper()
	list := map[string]unix.Stat_t{}
	try(t, filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
		var st unix.Stat_t
		if err == nil && path != dir {
			err = unix.Lstat(path, &st)
			list[path[len(dir):]] = st
		}
		return err
	}))
	return list
}

func TestCopyUp(t *testing.T) {
	from, to := image(t), t.TempDir()
	want := tree(t, from)
	try(t, copied(t, from, to))
	got := tree(t, to)
	if len(got) != len(want) || len(want) < 20 {
		t.Fatalf("%d names were copied, of %d", len(got), len(want))
	}
	for name, w := range want {
		g := got[name]
		if g.Mode != w.Mode || g.Uid != w.Uid || g.Gid != w.Gid || g.Rdev != w.Rdev {
			t.Errorf("%q is %o %d:%d (device %d), was %o %d:%d (device %d)", name, g.Mode, g.Uid, g.Gid, g.Rdev, w.Mode, w.Uid, w.Gid, w.Rdev)
		}
		switch w.Mode & unix.S_IFMT {
		case unix.S_IFLNK:
			before, err := os.Readlink(from + name)
			try(t, err)
			if after, err := os.Readlink(to + name); after != before {
				t.Errorf("%q leads to %q, %v; was %q", name, after, err, before)
			}
			continue // a link's own times are nobody's business
		case unix.S_IFREG:
			if content(t, to+name) != content(t, from+name) {
				t.Errorf("%q has other content", name)
			}
		}
		if g.Mtim != w.Mtim {
			t.Errorf("%q was changed at %v, the copy at %v", name, w.Mtim, g.Mtim)
		}
	}
	for _, name := range []string{"/plain", "/fifo"} { // nothing has read the copies' own metadata away
		if got[name].Atim != (unix.Timespec{Sec: 1e9, Nsec: 123456789}) {
			t.Errorf("%q was read at %v", name, got[name].Atim)
		}
	}
}

// TestCopyUpFollowsNothing: links are copied, and what is in their place already is not written through.
func TestCopyUpFollowsNothing(t *testing.T) {
	for name, block := range map[string]func(to, outside string) error{
		"link to a file":      func(to, outside string) error { return os.Symlink(outside+"/file", to+"/name") },
		"link to a directory": func(to, outside string) error { return os.Symlink(outside, to+"/dir") },
		"dangling link":       func(to, outside string) error { return os.Symlink(outside+"/new", to+"/name") },
	} {
		t.Run(name, func(t *testing.T) {
			from, to, outside := t.TempDir(), t.TempDir(), t.TempDir()
			try(t, os.WriteFile(from+"/name", []byte("inside"), 0o644))
			try(t, os.MkdirAll(from+"/dir/more", 0o755))
			try(t, os.WriteFile(outside+"/file", []byte("host"), 0o600))
			try(t, block(to, outside))
			if err := copied(t, from, to); err == nil || !strings.HasPrefix(err.Error(), "cannot copy up (tmpcopyup): ") {
				t.Errorf("the error is %v", err)
			}
			if list := tree(t, outside); len(list) != 1 || content(t, outside+"/file") != "host" || list["/file"].Mode != unix.S_IFREG|0o600 {
				t.Errorf("the outside became %v", list)
			}
		})
	}
}

// TestCopyUpFifo: a fifo without a writer is not waited for.
func TestCopyUpFifo(t *testing.T) {
	from, to := t.TempDir(), t.TempDir()
	try(t, unix.Mkfifo(from+"/fifo", 0o600))
	done := make(chan error, 1)
	go func() { done <- copied(t, from, to) }()
	select {
	case err := <-done:
		try(t, err)
	case <-time.After(20 * time.Second):
		t.Fatal("it waits for somebody to write")
	}
}

func TestCopyUpDepth(t *testing.T) {
	for depth, want := range map[int]bool{1: true, maxDepth: true, maxDepth + 1: false, maxDepth + 50: false} {
		from, to := t.TempDir(), t.TempDir()
		try(t, os.MkdirAll(from+strings.Repeat("/d", depth), 0o755))
		err := copied(t, from, to)
		if (err == nil) != want || err != nil && !strings.Contains(err.Error(), "nested deeper than 256") {
			t.Errorf("%d levels: %v", depth, err)
		}
		if _, err := os.Stat(to + strings.Repeat("/d", depth)); want && err != nil {
			t.Error(err)
		}
	}
}

func TestCopyUpNothing(t *testing.T) {
	try(t, copied(t, t.TempDir(), t.TempDir()))
	fd, err := unix.Open(t.TempDir(), unix.O_PATH|unix.O_CLOEXEC, 0)
	try(t, err)
	for _, fds := range [][]int{nil, {fd}} {
		if err := copyUp(fds); err == nil || !strings.HasPrefix(err.Error(), "internal error: ") {
			t.Errorf("%d directories: %v", len(fds), err)
		}
	}
}
