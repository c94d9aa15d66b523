package engine

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// fill takes all that is left of a file system, and returns what gives it back.
func fill(t *testing.T, dir string) (empty func()) {
	t.Helper()
	path := filepath.Join(dir, "filler")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for size := 1 << 20; size > 0; {
		if _, err := f.Write(make([]byte, size)); errors.Is(err, unix.ENOSPC) {
			size /= 2
		} else if err != nil {
			t.Fatal(err)
		}
	}
	return func() { os.Remove(path) }
}

// A full data root makes clear errors, and nothing is lost or left behind.
func TestFullDisk(t *testing.T) {
	needRoot(t)
	if os.Getenv("DHOW_TEST_DOCKERD") != "" {
		t.Skip("of dhowd's data root")
	}
	d := makeDaemon(t.TempDir())
	data := filepath.Join(d.Dir, "data")
	if err := os.Mkdir(data, 0o711); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount("none", data, "tmpfs", 0, "size=24m,mode=0711"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(d.end(), unix.Unmount(data, 0)); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Logf("the daemon's log:\n%s", d.LogTail(60))
		}
	})
	if err := d.Start(); err != nil {
		t.Fatal(err)
	}
	d.load(t)
	d.must(t, "run", "-d", "--name", "keeper", "busybox", "sh", "-c", "trap 'seq 1000; exit 7' TERM; while :; do sleep 0.1; done")
	holdings := func() string { return strings.Join(d.holdings(t), "\n") }
	before := holdings()

	empty := fill(t, data)
	for _, args := range [][]string{
		{"run", "--rm", "--name", "late", "busybox", "true"},
		{"create", "--name", "late", "busybox"},
		{"commit", "keeper", "saved"},
		{"import", busybox, "imported"},
		{"cp", busybox, "keeper:/big"},
	} {
		if r := d.docker.Run(nil, args...); r.Code == 0 || !strings.Contains(r.Stderr, "no space left on device") {
			t.Errorf("docker %s: exit %d, %q", strings.Join(args, " "), r.Code, r.Stderr)
		}
	}
	if now := holdings(); now != before {
		t.Errorf("before:\n%s\nafter failures:\n%s", before, now)
	}
	d.wants(t, "still there", 0, "exec", "keeper", "echo", "still there")
	d.wants(t, "running", 0, "inspect", "-f", "{{.State.Status}}", "keeper")
	d.docker.Run(nil, "stop", "keeper") // its last words are lost
	d.wants(t, "exited 7", 0, "inspect", "-f", "{{.State.Status}} {{.State.ExitCode}}", "keeper")
	d.Kill()
	empty()
	if err := d.Start(); err != nil {
		t.Fatal(err)
	}
	d.wants(t, "exited 7", 0, "inspect", "-f", "{{.State.Status}} {{.State.ExitCode}}", "keeper")
	d.wants(t, "ok", 0, "run", "--rm", "--name", "late", "busybox", "echo", "ok")
	d.must(t, "rm", "keeper")
	if left := d.settledHoldings(t); len(left) > 1 { // the data root is a mount
		t.Errorf("left behind:\n%s", strings.Join(left, "\n"))
	}
}
