package cgroup_test

import (
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/dhow-containers/dhow/runtime/cgroup"
)

// TestHostDelegate looks at the owner of every file: none but those that the kernel lists is given away.
func TestHostDelegate(t *testing.T) {
	needRoot(t)
	h := detect(t)
	if h.Mode != cgroup.Unified {
		t.Skip("needs a unified host")
	}
	const uid = 123456
	p := must(cgroup.Compile(h, newPath(), "c1", nil))
	p.Delegate(h, uid)
	if !strings.Contains(p.String(), "to user 123456\n") {
		t.Errorf("the plan says nothing:\n%s", p)
	}
	g, err := p.Create()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { destroy(t, h, g) })
	listed := strings.Fields(read(t, "/sys/kernel/cgroup/delegate"))
	entries, err := os.ReadDir(g.Paths[""])
	if err != nil {
		t.Fatal(err)
	}
	if owner(t, g.Paths[""]) != uid {
		t.Error("the directory was not given away")
	}
	given := 0
	for _, e := range entries {
		want := slices.Contains(listed, e.Name())
		if got := owner(t, g.Paths[""]+"/"+e.Name()) == uid; got != want {
			t.Errorf("%s was given away: %v", e.Name(), got)
		}
		if want {
			given++
		}
	}
	if given < 3 {
		t.Errorf("%d files were given away", given)
	}
}

func owner(t *testing.T, path string) uint32 {
	t.Helper()
	info, err := os.Lstat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Sys().(*syscall.Stat_t).Uid
}

// No group is given away where a hierarchy is of version 1.
func TestDelegateNeedsUnified(t *testing.T) {
	for _, h := range []*cgroup.Host{hybridHost(), legacyHost()} {
		p := must(cgroup.Compile(h, "/a", "c1", nil))
		p.Delegate(h, 1)
		if p.Owner != nil {
			t.Errorf("%s: owner %d", h.Mode, *p.Owner)
		}
	}
}
