package inroot

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// open opens a directory with the given links in it.
func open(t *testing.T, links map[string]string) (dir string, root int) {
	t.Helper()
	dir = t.TempDir()
	for name, to := range links {
		if err := os.Symlink(to, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	root, err := unix.Open(dir, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(root) })
	return dir, root
}

func TestRead(t *testing.T) {
	dir, root := open(t, map[string]string{"absolute": "/file", "up": "../../file", "host": "/etc/passwd", "magic": "/proc/self/exe"})
	if err := os.WriteFile(filepath.Join(dir, "file"), []byte("text"), 0o644); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"file": "tex", "/file": "tex", "absolute": "tex", "up": "tex", "/../file": "tex"} {
		if got, err := Read(root, name, 3); string(got) != want || err != nil {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	for name, want := range map[string]error{"host": unix.ENOENT, "magic": unix.ENOENT, "none": unix.ENOENT, "": unix.EINVAL, "/": unix.EINVAL} {
		if got, err := Read(root, name, 3); err != want {
			t.Errorf("%q: %q, %v, want %v", name, got, err, want)
		}
	}
}

// A FIFO tells whether it has been opened, as a device node would, without one being there.
func TestReadOpensNothingButFiles(t *testing.T) {
	dir, root := open(t, nil)
	fifo := filepath.Join(dir, "fifo")
	if err := unix.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	watch, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(watch)
	if _, err := unix.InotifyAddWatch(watch, fifo, unix.IN_OPEN); err != nil {
		t.Fatal(err)
	}
	if _, err := Read(root, "fifo", 1); err != unix.EINVAL {
		t.Errorf("a FIFO: %v", err)
	}
	if _, err := Stat(root, "fifo"); err != nil {
		t.Error(err)
	}
	if n, err := unix.Read(watch, make([]byte, 256)); err != unix.EAGAIN {
		t.Errorf("it has been opened: %d bytes of inotify, %v", n, err)
	}
}
