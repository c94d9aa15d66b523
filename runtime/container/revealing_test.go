package container

import (
	"slices"
	"testing"

	"github.com/moby/sys/mountinfo"
)

func TestRevealing(t *testing.T) {
	table := []*mountinfo.Info{
		{ID: 1, Parent: 0, Root: "/", Mountpoint: "/", FSType: "rootfs"},
		{ID: 2, Parent: 1, Root: "/", Mountpoint: "/proc", FSType: "proc"},
		{ID: 3, Parent: 2, Root: "/", Mountpoint: "/proc", FSType: "tmpfs"},
		{ID: 4, Parent: 1, Root: "/", Mountpoint: "/sys", FSType: "sysfs"},
		{ID: 5, Parent: 4, Root: "/", Mountpoint: "/sys/fs/cgroup", FSType: "tmpfs"},
		{ID: 6, Parent: 1, Root: "/kernel", Mountpoint: "/srv/part", FSType: "sysfs"},
		{ID: 7, Parent: 1, Root: "/", Mountpoint: "/b/rootfs/proc", FSType: "proc"},
		{ID: 8, Parent: 1, Root: "/", Mountpoint: "/b/rootfs2/proc", FSType: "proc"},
	}
	want := []string{"/b/rootfs2/proc", "/sys", "/proc", "/proc"}
	if got := revealingIn(table, "/b/rootfs"); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if err := leftIn(table, "/b/rootfs"); err == nil || err.Error() != "cannot hide the host's procfs and sysfs (--no-pivot): sysfs on /sys is still there" {
		t.Error(err)
	}
	table = append(table, &mountinfo.Info{ID: 9, Parent: 4, Root: "/", Mountpoint: "/sys", FSType: "tmpfs"},
		&mountinfo.Info{ID: 10, Parent: 8, Root: "/", Mountpoint: "/b/rootfs2/proc", FSType: "tmpfs"})
	if err := leftIn(table, "/b/rootfs"); err != nil {
		t.Error(err)
	}
}
