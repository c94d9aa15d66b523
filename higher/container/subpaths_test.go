package container

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// What is mounted for another runtime is the files of a volume: they stay, whatever becomes of the place.
func TestSubpathsAreNotRemoved(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	volume, dir := t.TempDir(), filepath.Join(t.TempDir(), "containers/x")
	file, path := filepath.Join(volume, "file"), filepath.Join(dir, "mounts/subpath-0")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Unmount(path, unix.MNT_DETACH) })
	for range 2 { // the second finds what a daemon that was killed has left
		if err := place(volume, path); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(filepath.Join(path, "file")); err != nil {
			t.Error(err)
		}
	}
	if err := place(file, path); err != nil {
		t.Errorf("a file in the place of a directory: %v", err)
	}
	if err := place(volume, path); err != nil {
		t.Errorf("a directory in the place of a file: %v", err)
	}
	// What is mounted in the volume is not unmounted there with its copy.
	below := filepath.Join(volume, "below")
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(unix.Mount(volume, volume, "", unix.MS_BIND, ""))
	t.Cleanup(func() { _ = unix.Unmount(volume, unix.MNT_DETACH) })
	must(unix.Mount("", volume, "", unix.MS_SHARED, ""))
	must(os.Mkdir(below, 0o700))
	must(unix.Mount("tmpfs", below, "tmpfs", 0, ""))
	must(os.WriteFile(filepath.Join(below, "deep"), nil, 0o600))
	must(place(volume, path))
	if err := removeUnmounted(dir); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("the directory is still there: %v", err)
	}
	for _, name := range []string{file, filepath.Join(below, "deep")} {
		if _, err := os.Stat(name); err != nil {
			t.Error(err)
		}
	}
}
