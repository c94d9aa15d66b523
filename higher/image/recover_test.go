package image

import (
	"context"
	"os"
	"path/filepath"
	"testing"
)

// A process that is killed between making a snapshot's directory and recording it leaves the directory, whose number the
// next snapshot gets.
func TestOpenAfterHalfMadeSnapshot(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root")
	}
	ctx, root := context.Background(), t.TempDir()
	open := func() *Manager {
		t.Helper()
		m, err := Open(ctx, Options{Root: root})
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	m := open()
	if m.Driver() != driverOverlay {
		t.Skip("needs overlayfs")
	}
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	for _, n := range []string{"1", "2", "3", "new-1"} {
		if err := os.MkdirAll(filepath.Join(root, "snapshots/overlayfs/snapshots", n, "fs/x"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := open().Close(); err != nil {
		t.Fatal(err)
	}
}
