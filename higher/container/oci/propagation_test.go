package oci

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dhow-containers/dhow/higher/volume"
	"github.com/moby/moby/api/types/mount"
	"golang.org/x/sys/unix"
)

// mounted makes a mount of a propagation type, with a directory and a link to it.
func mounted(t *testing.T, kind uintptr) string {
	t.Helper()
	dir := t.TempDir()
	for _, err := range []error{
		unix.Mount("tmpfs", dir, "tmpfs", 0, ""),
		unix.Mount("", dir, "", kind, ""),
		os.Mkdir(filepath.Join(dir, "sub"), 0o755),
		os.Symlink("sub", filepath.Join(dir, "link")),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() { unix.Unmount(dir, unix.MNT_DETACH) })
	return dir
}

func TestPropagation(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root: it mounts")
	}
	shared, private := mounted(t, unix.MS_SHARED), mounted(t, unix.MS_PRIVATE)
	for _, c := range []struct {
		m          volume.Mount
		word, root string
		problem    string
	}{
		{volume.Mount{Type: mount.TypeBind, Source: shared + "/sub", Propagation: "rshared"}, "rshared", "shared", ""},
		{volume.Mount{Type: mount.TypeBind, Source: shared + "/link", Propagation: "slave"}, "slave", "rslave", ""},
		{volume.Mount{Type: mount.TypeBind, Source: private + "/link", Propagation: "shared"}, "", "", "is mounted on " + private + " but it is not a shared mount"},
		{volume.Mount{Type: mount.TypeBind, Source: private, Propagation: "rslave"}, "", "", "but it is not a shared or slave mount"},
		{volume.Mount{Type: mount.TypeBind, Source: private, Propagation: "rslave", OwnRoot: true}, "rprivate", "", ""},
		{volume.Mount{Type: mount.TypeBind, Source: private, Propagation: "private"}, "private", "", ""},
		{volume.Mount{Type: mount.TypeVolume, Source: private}, "rslave", "", ""},
		{volume.Mount{Type: mount.TypeBind, Source: "/nowhere/at/all", Propagation: "shared"}, "", "", "no such file"},
	} {
		var root propagation
		word, err := root.add(&c.m)
		if word != c.word || string(root) != c.root || (err == nil) != (c.problem == "") || err != nil && !strings.Contains(err.Error(), c.problem) {
			t.Errorf("%+v: %q %q %v", c.m, word, root, err)
		}
	}
	both := propagation("shared")
	if _, err := both.add(&volume.Mount{Type: mount.TypeBind, Source: shared, Propagation: "rslave"}); err != nil || both != "shared" {
		t.Error("a slave takes the way of a shared mount:", both, err)
	}
}
