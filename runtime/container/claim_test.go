package container

import (
	"os"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/runtime/cgroup"
	"github.com/dhow-containers/dhow/spec"
)

func newMaking(s *Store) *making {
	return &making{blueprint: &blueprint{id: "c", bundle: "/b", rootfs: "/b/rootfs",
		doc: &spec.Document{Raw: []byte(`{"ociVersion":"1.3.0"}`)}, cgroups: &cgroup.Plan{}}, locked: -1, listener: -1}
}

// TestClaimOnAFullDisk: a record that cannot be written leaves nothing, and its descriptor is closed once
// (a second close would hit somebody else's).
func TestClaimOnAFullDisk(t *testing.T) {
	s := &Store{Root: t.TempDir()}
	m := newMaking(s)
	limited(t, 8, func() {
		if err := m.claim(s); err == nil {
			t.Error("a record was written past the limit")
		}
	})
	if _, err := unix.FcntlInt(uintptr(m.dir), unix.F_GETFD, 0); err != nil {
		t.Errorf("the descriptor is closed before close: %v", err)
	}
	m.close()
	if left, err := os.ReadDir(s.Root); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// TestUnclaimKeepsTheRecord of control groups that cannot be removed, for delete --force to find them by.
func TestUnclaimKeepsTheRecord(t *testing.T) {
	s := &Store{Root: t.TempDir()}
	m := newMaking(s)
	if err := m.claim(s); err != nil {
		t.Fatal(err)
	}
	defer m.close()
	// A directory that is no control group, and not empty, cannot be removed as one.
	stuck := t.TempDir()
	if err := os.MkdirAll(stuck+"/group/file", 0o700); err != nil {
		t.Fatal(err)
	}
	m.group = cgroup.Open(map[string]string{"memory": stuck + "/group"})
	m.undo.run()
	if _, err := os.Stat(s.Root + "/c/state.json"); err != nil {
		t.Errorf("the record is gone: %v", err)
	}
	m.group = nil
	m.unclaim()
	if left, err := os.ReadDir(s.Root); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
