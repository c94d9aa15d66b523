package daemon

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestLockIsForOne(t *testing.T) {
	root := filepath.Join(t.TempDir(), "data")
	f, err := Lock(root)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Lock(root); err == nil || !strings.Contains(err.Error(), "another dhowd uses it") {
		t.Errorf("a second lock: %v", err)
	}
	f.Close()
	f, err = Lock(root)
	if err != nil {
		t.Errorf("after the first has ended: %v", err)
	}
	f.Close()
}

func TestPidfile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "run", "d.pid")
	remove, err := WritePidfile(path)
	if err != nil {
		t.Fatal(err)
	}
	if text, _ := os.ReadFile(path); string(text) != strconv.Itoa(os.Getpid()) {
		t.Errorf("got %q", text)
	}
	remove()
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Errorf("the file is still there: %v", err)
	}
	// One of a process that runs, but is not dhowd, is stale.
	if err := os.WriteFile(path, []byte("1\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := WritePidfile(path); err != nil {
		t.Error(err)
	}
}

func TestReady(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	fd, err := unix.Dup(int(w.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	w.Close()
	t.Setenv(readyVariable, strconv.Itoa(fd))
	if err := Ready(); err != nil {
		t.Fatal(err)
	}
	var b [2]byte
	if n, err := r.Read(b[:]); n != 1 || b[0] != '1' {
		t.Errorf("read %q, %v", b[:n], err)
	}
	t.Setenv(readyVariable, "x")
	if Ready() == nil {
		t.Error("a value that is no number: no error")
	}
}
