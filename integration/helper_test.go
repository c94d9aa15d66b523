package integration

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// newBundle makes a bundle in a directory that is removed with the test.
func newBundle(t *testing.T, edits ...Edit) *Bundle {
	t.Helper()
	needRoot(t)
	dir := t.TempDir()
	t.Cleanup(func() { unmountBelow(t, dir) })
	b, err := NewBundle(dir, edits...)
	must(t, err)
	return b
}

// probe puts the probe program into the bundle and runs it with one of its verbs.
func probe(args ...string) Edit {
	return func(b *Bundle) {
		withProbe(b)
		Args(append([]string{"/probe"}, args...)...)(b)
	}
}

// withProbe puts the probe program into the bundle.
func withProbe(b *Bundle) {
	path := filepath.Join(b.Rootfs(), "probe")
	if _, err := os.Stat(path); err != nil {
		Must(CopyFile(path, underTest.probe))
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// await polls for something that the kernel or another process does in its own time.
func await(t *testing.T, what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !done(); {
		if time.Now().After(end) {
			t.Fatalf("still waiting for %s after %v", what, patience)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func waitStatus(s *os.ProcessState) syscall.WaitStatus { return s.Sys().(syscall.WaitStatus) }

func readFile(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	must(t, err)
	return strings.TrimSpace(string(data))
}

func lines(s string) []string { return strings.Split(strings.TrimSpace(s), "\n") }

func itoa(n int) string { return strconv.Itoa(n) }

func ownerOf(t *testing.T, path string) uint32 {
	t.Helper()
	info, err := os.Stat(path)
	must(t, err)
	return info.Sys().(*syscall.Stat_t).Uid
}
