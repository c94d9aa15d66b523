package integration

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/shim/api"
	"github.com/dhow-containers/dhow/shim/wire"
)

// rootfs gives Create its mounts.
func rootfs(list ...*api.Mount) func(*wire.Encoder) {
	return func(e *wire.Encoder) {
		for _, m := range list {
			e.Message(3, m)
		}
	}
}

// moved puts the bundle's root file system elsewhere, so that it has to come by mounts.
func (s *shimDirect) moved() string {
	s.t.Helper()
	path := filepath.Join(s.bundle.Dir, "layer")
	must(s.t, os.Rename(s.bundle.Rootfs(), path))
	return path
}

// TestShimRootfsLoop has the root file system in an image, which a loop device shows for as long as the container is there.
func TestShimRootfsLoop(t *testing.T) {
	s := newShimDirect(t, func(b *Bundle) { b.Spec.Process.Args = []string{"sh", "-c", "echo kept >/file; sleep 1000"} })
	layer, image := s.moved(), filepath.Join(s.bundle.Dir, "image")
	must(t, os.WriteFile(image, nil, 0o600))
	must(t, os.Truncate(image, 16<<20))
	if out, err := exec.Command("/usr/sbin/mkfs.ext4", "-q", "-d", layer, image).CombinedOutput(); err != nil {
		skip(t, "needs mkfs.ext4: "+err.Error()+string(out))
	}
	if !exists("/dev/loop-control") {
		skip(t, "needs loop devices")
	}
	m := &api.Mount{Type: "ext4", Source: image, Options: []string{"loop"}}
	loops := func() (n int) {
		files, _ := filepath.Glob("/sys/block/loop*/loop/backing_file")
		for _, file := range files {
			if text, err := os.ReadFile(file); err == nil && strings.HasPrefix(string(text), image) {
				n++
			}
		}
		return n
	}
	s.create("", rootfs(m))
	s.must("Start", s.target(""))
	if n := loops(); n != 1 {
		t.Errorf("%d loop devices", n)
	}
	await(t, "the file", func() bool { return exists(s.bundle.Rootfs() + "/file") })
	s.must("Kill", s.kill("", unix.SIGKILL))
	s.wait("")
	s.must("Delete", s.target(""))
	await(t, "the loop device to go", func() bool { return loops() == 0 }) // the kernel takes it away later than the mount
	s.bundle.Spec.Process.Args = []string{"cat", "/file"}
	must(t, s.bundle.Save())
	m.Options = append(m.Options, "ro")
	s.create("file://"+s.bundle.Dir+"/out", rootfs(m))
	s.must("Start", s.target(""))
	s.wait("")
	if got := readFile(t, s.bundle.Dir+"/out"); got != "kept" {
		t.Errorf("got %q", got)
	}
	shim, _ := s.pids()
	must(t, unix.Kill(shim, unix.SIGKILL)) // the rest is for `delete`
	s.shim("delete")
	await(t, "the loop device to go", func() bool { return loops() == 0 })
}

// TestShimRootfsFails has a mount that cannot be made: the one before it is taken away.
func TestShimRootfsFails(t *testing.T) {
	s := newShimDirect(t, sleeps)
	layer := s.moved()
	err := s.call("Create", func(e *wire.Encoder) {
		e.String(1, s.id)
		e.String(2, s.bundle.Dir)
		rootfs(&api.Mount{Type: "bind", Source: layer, Options: []string{"rbind"}}, &api.Mount{Type: "ext4", Source: "/no/image", Options: []string{"loop"}})(e)
	}, nil)
	if err == nil || !strings.Contains(err.Error(), "rootfs[1]") || !strings.Contains(err.Error(), "/no/image") {
		t.Errorf("got %v", err)
	}
	if left := mountsOf(s.bundle.Dir); len(left) > 0 {
		t.Errorf("left: %q", left)
	}
	s.create("", rootfs(&api.Mount{Type: "bind", Source: layer, Options: []string{"rbind", "ro"}})) // the id is free again
	s.expect("create")
}

// TestShimRootfsMappedIDs is the root file system of a container in a user namespace as containerd 2's overlay snapshotter
// gives it: its files belong to the host's root, and are shown with the container's ids.
func TestShimRootfsMappedIDs(t *testing.T) {
	s := newShimDirect(t, MappedUser, func(b *Bundle) {
		b.Spec.Process.Args = []string{"sh", "-c", "stat -c %u:%g /bin/busybox; echo x >/new; stat -c %u /new"}
	})
	layer := s.moved()
	must(t, filepath.WalkDir(layer, func(path string, _ os.DirEntry, err error) error { return os.Lchown(path, 0, 0) }))
	for _, name := range []string{"upper", "work"} {
		must(t, os.Mkdir(filepath.Join(s.bundle.Dir, name), 0o755))
	}
	must(t, os.Chown(s.bundle.Dir+"/upper", 100000, 100000))
	path := s.bundle.Dir + "/out"
	s.create("file://"+path, rootfs(&api.Mount{Type: "overlay", Source: "overlay", Options: []string{"lowerdir=" + layer, "upperdir=" + s.bundle.Dir + "/upper",
		"workdir=" + s.bundle.Dir + "/work", "uidmap=0:100000:65536", "gidmap=0:100000:65536"}}))
	s.must("Start", s.target(""))
	s.wait("")
	if got := readFile(t, path); got != "0:0\n0" {
		t.Errorf("got %q", got)
	}
	s.must("Delete", s.target(""))
}
