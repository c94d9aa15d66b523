package mount_test

import (
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/shim/api"
	"github.com/dhow-containers/dhow/shim/mount"
)

// image makes an ext4 file system in a file, with one file in it.
func image(t *testing.T, dir, name string) string {
	t.Helper()
	mkfs, err := exec.LookPath("mkfs.ext4")
	if err != nil {
		mkfs = "/usr/sbin/mkfs.ext4"
	}
	path := dir + "/" + name
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, 4<<20); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(mkfs, "-q", "-d", dir+"/src", path).CombinedOutput(); err != nil {
		t.Skipf("cannot make an image: %v %s", err, out)
	}
	if _, err := os.Stat("/dev/loop-control"); err != nil {
		t.Skip(err)
	}
	return path
}

// loops are the loop devices that have a file below dir.
func loops(t *testing.T, dir string) (found []string) {
	t.Helper()
	entries, err := os.ReadDir("/sys/block")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if file, err := os.ReadFile("/sys/block/" + e.Name() + "/loop/backing_file"); err == nil && strings.HasPrefix(string(file), dir) {
			found = append(found, e.Name())
		}
	}
	return found
}

// TestLoop mounts an image; its device goes away with the mount.
func TestLoop(t *testing.T) {
	dir := tree(t, "root/", "src/file")
	path := image(t, dir, "image")
	m := on(t, dir, &api.Mount{Type: "ext4", Source: path, Options: []string{"loop", "noatime"}})
	has(t, dir+"/root/file", "src/file")
	if !strings.HasPrefix(m.Source, "/dev/loop") || !strings.Contains(m.Options, "noatime") {
		t.Errorf("%+v", m)
	}
	if err := os.WriteFile(dir+"/root/new", []byte("new"), 0o644); err != nil {
		t.Error(err)
	}
	if err := mount.Unmount(dir + "/root"); err != nil {
		t.Fatal(err)
	}
	if left := loops(t, dir); left != nil {
		t.Errorf("left: %v", left)
	}
	on(t, dir, &api.Mount{Type: "ext4", Source: path, Options: []string{"loop", "ro"}})
	has(t, dir+"/root/new", "new")
	if err := os.WriteFile(dir+"/root/newer", nil, 0o644); err == nil {
		t.Error("a read-only image can be written")
	}
}

// TestLoopReadOnlyImage has an image that may not be written.
func TestLoopReadOnlyImage(t *testing.T) {
	dir := tree(t, "root/", "src/file")
	path := image(t, dir, "image")
	if err := unix.Mount(path, path, "", unix.MS_BIND, ""); err != nil {
		t.Fatal(err)
	}
	defer unix.Unmount(path, unix.MNT_DETACH)
	if err := unix.Mount("", path, "", unix.MS_BIND|unix.MS_REMOUNT|unix.MS_RDONLY, ""); err != nil {
		t.Fatal(err)
	}
	if err := mount.All([]*api.Mount{{Type: "ext4", Source: path, Options: []string{"loop"}}}, dir+"/root"); err == nil {
		t.Error("mounted for writing")
	}
	on(t, dir, &api.Mount{Type: "ext4", Source: path, Options: []string{"loop", "ro", "direct-io"}})
	has(t, dir+"/root/file", "src/file")
	if err := mount.Unmount(dir + "/root"); err != nil {
		t.Error(err)
	}
}

// TestLoopFails leaves no device when the file is no file system.
func TestLoopFails(t *testing.T) {
	dir := tree(t, "root/", "src/file")
	path := image(t, dir, "image")
	if err := os.WriteFile(path, make([]byte, 1<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := mount.All([]*api.Mount{{Type: "ext4", Source: path, Options: []string{"loop"}}}, dir+"/root"); err == nil {
		t.Error("mounted")
	}
	if left := loops(t, dir); left != nil {
		t.Errorf("left: %v", left)
	}
}

// TestLoopsAtOnce has several look for a free device at a time.
func TestLoopsAtOnce(t *testing.T) {
	dir := tree(t, "src/file", "m0/", "m1/", "m2/", "m3/", "m4/", "m5/")
	var wg sync.WaitGroup
	for i, name := range []string{"m0", "m1", "m2", "m3", "m4", "m5"} {
		path := image(t, dir, "image"+string(rune('0'+i)))
		wg.Go(func() {
			at := dir + "/" + name
			if err := mount.All([]*api.Mount{{Type: "ext4", Source: path, Options: []string{"loop", "ro"}}}, at); err != nil {
				t.Error(err)
			}
			if _, err := os.Stat(at + "/file"); err != nil {
				t.Error(err)
			}
			if err := mount.Unmount(at); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}
