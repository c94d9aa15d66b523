package archive

import (
	"archive/tar"
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/containerd/errdefs"
	"github.com/dhow-containers/dhow/higher/volume"
	"github.com/dhow-containers/dhow/shim/api"
	"github.com/moby/moby/api/types/mount"
	"golang.org/x/sys/unix"
)

// overlay makes a root file system of layers.
func overlay(t *testing.T) (dir string, rootfs []*api.Mount) {
	t.Helper()
	needRoot(t)
	dir = t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, ""); err != nil { // overlay on overlay may not work
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Unmount(dir, unix.MNT_DETACH) })
	tree(t, dir, "lower/etc/", "lower/etc/passwd=root:x:0:0::/:/bin/sh", "lower/var/", "lower/var/data->/srv/data", "lower/srv/data/", "upper/", "work/",
		"volume/", "volume/f=volume", "volume/sub/", "file=bound")
	return dir, []*api.Mount{{Type: "overlay", Source: "overlay", Options: []string{
		"lowerdir=" + dir + "/lower", "upperdir=" + dir + "/upper", "workdir=" + dir + "/work"}}}
}

// mountCount counts mounts that the tests could have made, not those of others on the same host.
func mountCount(t *testing.T, dir string) (n int) {
	t.Helper()
	text, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if strings.Contains(line, dir) || strings.Contains(line, " "+place) && strings.Contains(line, "overlay") {
			n++
		}
	}
	return n
}

func TestOpenRoot(t *testing.T) {
	dir, rootfs := overlay(t)
	before := mountCount(t, dir)
	root, err := OpenRoot(rootfs)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	s, err := Stat(root, "/etc/passwd")
	if err != nil || s.Size == 0 {
		t.Error(s, err)
	}
	if err := Extract(root, "/etc", ExtractOptions{}, packed(t, &tar.Header{Name: "new"})); err != nil {
		t.Error(err)
	}
	if mountCount(t, dir) != before {
		t.Error("others see the mount")
	}
	if _, err := OpenRoot([]*api.Mount{{Type: "bind", Source: "/nowhere/at/all", Options: []string{"rbind"}}}); err == nil {
		t.Error("no error")
	}
}

func TestMounted(t *testing.T) {
	dir, rootfs := overlay(t)
	before := mountCount(t, dir)
	mounts := []volume.Mount{
		{Type: mount.TypeVolume, Source: dir + "/volume", Destination: "/var/data", RW: true},
		{Type: mount.TypeBind, Source: dir + "/volume", Destination: "/new/place"},
		{Type: mount.TypeBind, Source: dir + "/file", Destination: "/etc/file"},
		{Type: mount.TypeTmpfs, Destination: "/tmp"},
	}
	err := Mounted(t.Context(), rootfs, mounts, nil, func(root *os.File) error {
		for path, want := range map[string]string{
			"/srv/data": "data/ data/f=volume data/sub/", "/new": "new/ new/place/ new/place/f=volume new/place/sub/", "/etc/file": "file=bound",
		} {
			var out bytes.Buffer
			if err := Write(root, path, nil, &out); err != nil {
				t.Error(path, err)
			} else if got := listing(t, &out); got != want {
				t.Errorf("%s: %q, want %q", path, got, want)
			}
		}
		var out bytes.Buffer
		if err := Export(root, nil, &out); err != nil {
			t.Error(err)
		} else if got := listing(t, &out); strings.Contains(got, "volume") {
			t.Error("an export has what is mounted:", got)
		}
		if err := Extract(root, "/var/data", ExtractOptions{}, packed(t, &tar.Header{Name: "sub/made"})); err != nil {
			t.Error(err)
		}
		err := Extract(root, "/new/place", ExtractOptions{}, packed(t, &tar.Header{Name: "x"}))
		if !errors.Is(err, unix.EROFS) {
			t.Error("a read-only mount:", err)
		}
		err = Extract(root, "/", ExtractOptions{}, packed(t, &tar.Header{Name: "new"}))
		if !errors.Is(err, unix.EBUSY) {
			t.Error("what has a mount in it was replaced:", err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "volume/sub/made")); err != nil {
		t.Error(err)
	}
	if mountCount(t, dir) != before {
		t.Error("mounts are left")
	}
}

// The main thread does not end with a goroutine that is locked to it: the process would be left in another namespace.
func TestMainThreadStays(t *testing.T) {
	needRoot(t)
	before, err := os.Readlink("/proc/self/ns/mnt")
	if err != nil {
		t.Fatal(err)
	}
	for range 50 {
		if err := apart(func() error { return nil }); err != nil {
			t.Fatal(err)
		}
	}
	if after, err := os.Readlink("/proc/self/ns/mnt"); err != nil || after != before {
		t.Error(before, after, err)
	}
}

// The kernel's file systems are no files of a container's: nothing is read from them, and nothing written to them.
func TestPseudo(t *testing.T) {
	_, rootfs := overlay(t)
	err := Mounted(t.Context(), rootfs, []volume.Mount{{Type: mount.TypeBind, Source: "/proc", Destination: "/proc", RW: true}}, nil, func(root *os.File) error {
		var out bytes.Buffer
		if err := Write(root, "/", nil, &out); err != nil {
			t.Error(err)
		}
		if got := listing(t, &out); !strings.Contains(got, "/proc/ ") || strings.Contains(got, "/proc/1") {
			t.Error(got)
		}
		if _, err := Stat(root, "/proc/1/status"); !errdefs.IsNotFound(err) {
			t.Error(err)
		}
		if err := Write(root, "/proc/1/status", nil, &out); !errdefs.IsNotFound(err) {
			t.Error(err)
		}
		for path, name := range map[string]string{"/proc/sys/kernel": "hostname", "/": "proc/sys/kernel/hostname"} {
			if err := Extract(root, path, ExtractOptions{}, packed(t, &tar.Header{Name: name})); !errdefs.IsInvalidArgument(err) {
				t.Error(path, err)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
