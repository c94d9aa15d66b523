package container

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// opened is a fresh directory with a file "name" of the content "old".
func opened(t *testing.T) (dir string, fd int) {
	t.Helper()
	dir = t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "name"), []byte("old"), 0o644); err != nil {
		t.Fatal(err)
	}
	fd, err := unix.Open(dir, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	return dir, fd
}

func content(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func names(t *testing.T, fd int) int {
	t.Helper()
	list, err := directoryNames(fd)
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}

func TestWriteFile(t *testing.T) {
	dir, fd := opened(t)
	before, err := os.Stat(filepath.Join(dir, "name"))
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"new", "", string(bytes.Repeat([]byte("x"), 1<<20))} {
		if err := writeFile(fd, "name", []byte(text)); err != nil {
			t.Fatal(err)
		}
		if got := content(t, filepath.Join(dir, "name")); got != text {
			t.Errorf("%d bytes were written, %d read", len(text), len(got))
		}
		if data, err := readFile(fd, "name"); err != nil || string(data) != text {
			t.Errorf("readFile gives %d bytes of %d, %v", len(data), len(text), err)
		}
	}
	after, err := os.Stat(filepath.Join(dir, "name"))
	if err != nil {
		t.Fatal(err)
	}
	if os.SameFile(before, after) || after.Mode().Perm() != 0o600 || names(t, fd) != 1 {
		t.Errorf("it is the same file, or %v, or not alone", after.Mode())
	}
}

// TestWriteFileFails: after a write that fails the old content is there, and nothing else.
func TestWriteFileFails(t *testing.T) {
	for name, block := range map[string]func(dir string) error{
		"directory in place of the temporary file": func(dir string) error { return os.Mkdir(dir+"/name.new", 0o700) },
		"link in place of the temporary file":      func(dir string) error { return os.Symlink("name", dir+"/name.new") },
	} {
		t.Run(name, func(t *testing.T) {
			dir, fd := opened(t)
			if err := block(dir); err != nil {
				t.Fatal(err)
			}
			err := writeFile(fd, "name", []byte("new"))
			if errno := unix.Errno(0); !errors.As(err, &errno) {
				t.Errorf("the error is %v", err)
			}
			if got := content(t, dir+"/name"); got != "old" {
				t.Errorf("the content became %q", got)
			}
		})
	}
	t.Run("directory in place of the file", func(t *testing.T) {
		dir, fd := opened(t)
		if err := os.Mkdir(dir+"/taken", 0o700); err != nil {
			t.Fatal(err)
		}
		if err := writeFile(fd, "taken", []byte("new")); !errors.Is(err, unix.EISDIR) {
			t.Errorf("the error is %v", err)
		}
		if n := names(t, fd); n != 2 {
			t.Errorf("there are %d names, want name and taken", n)
		}
	})
	t.Run("full", func(t *testing.T) {
		dir, fd := opened(t)
		limited(t, 2, func() {
			if err := writeFile(fd, "name", []byte("much too long")); err == nil {
				t.Error("it can write beyond the limit")
			}
		})
		if got := content(t, dir+"/name"); got != "old" || names(t, fd) != 1 {
			t.Errorf("the content became %q, with %d names", got, names(t, fd))
		}
	})
}

// limited runs f with files limited to a size. The Go runtime takes the SIGXFSZ that comes with it.
func limited(t *testing.T, size uint64, f func()) {
	t.Helper()
	var old unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_FSIZE, &old); err != nil {
		t.Fatal(err)
	}
	if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: size, Max: old.Max}); err != nil {
		t.Fatal(err)
	}
	f()
	if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &old); err != nil {
		t.Fatal(err)
	}
}

// TestReadFile: what is not a regular file is not read, nor waited for.
func TestReadFile(t *testing.T) {
	dir, fd := opened(t)
	if err := unix.Mkfifo(dir+"/fifo", 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("name", dir+"/link"); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(dir+"/dir", 0o700); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]error{"fifo": unix.EINVAL, "dir": unix.EINVAL, "link": unix.ELOOP, "none": unix.ENOENT} {
		if data, err := readFile(fd, name); !errors.Is(err, want) {
			t.Errorf("%s is read as %q, %v; want %v", name, data, err, want)
		}
	}
	if data, err := readFile(unix.AT_FDCWD, "/proc/self/status"); err != nil || !bytes.HasPrefix(data, []byte("Name:")) {
		t.Errorf("a file of procfs, whose size is 0, is read as %q, %v", data, err)
	}
}

func TestPidFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pid")
	if err := writePidFile(path, 12345); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); content(t, path) != "12345" || err != nil || info.Mode().Perm() != 0o644 {
		t.Errorf("it holds %q, %v", content(t, path), err)
	}
	if err := writePidFile("/nonexistent/pid", 1); !errors.Is(err, unix.ENOENT) {
		t.Errorf("the error is %v", err)
	}
}

func TestUndo(t *testing.T) {
	var order []int
	var u undo
	for i := range 3 {
		u.add(func() { order = append(order, i) })
	}
	u.run()
	u.run()
	if len(order) != 3 || order[0] != 2 || order[2] != 0 {
		t.Errorf("taken back in the order %v", order)
	}
	u.add(func() { t.Error("taken back after release") })
	u.release()
	u.run()
}
