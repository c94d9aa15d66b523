package mount_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/moby/sys/mountinfo"
	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/shim/api"
	"github.com/dhow-containers/dhow/shim/mount"
)

// inside is set in the environment of the tests that have a mount namespace of their own.
const inside = "DHOW_TEST_MOUNTS"

// TestMain runs the tests in a mount namespace of their own, if it may.
func TestMain(m *testing.M) {
	if os.Getuid() != 0 {
		os.Exit(m.Run())
	}
	if os.Getenv(inside) == "" {
		cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
		cmd.Env = append(os.Environ(), inside+"=1")
		cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
		cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS, Pdeathsig: syscall.SIGKILL}
		if err := cmd.Run(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// tree makes directories, and files where the name has no slash at its end; what is in them is their name.
func tree(t *testing.T, names ...string) string {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("needs root, to mount")
	}
	dir := t.TempDir()
	for _, name := range names {
		path := filepath.Join(dir, name)
		err := os.MkdirAll(filepath.Dir(path), 0o755)
		if strings.HasSuffix(name, "/") {
			err = os.MkdirAll(path, 0o755)
		} else if err == nil {
			err = os.WriteFile(path, []byte(name), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		if err := mount.Unmount(dir + "/root"); err != nil {
			t.Error(err)
		}
		if list := mounts(t, dir); len(list) > 0 {
			t.Errorf("left: %v", list[0])
		}
	})
	return dir
}

// mounts are those on dir and below, the latest last.
func mounts(t *testing.T, dir string) []*mountinfo.Info {
	t.Helper()
	list, err := mountinfo.GetMounts(mountinfo.PrefixFilter(dir))
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// on has everything mounted on dir/root and returns the last mount.
func on(t *testing.T, dir string, list ...*api.Mount) *mountinfo.Info {
	t.Helper()
	if err := mount.All(list, dir+"/root"); err != nil {
		t.Fatal(err)
	}
	all := mounts(t, dir)
	return all[len(all)-1]
}

func has(t *testing.T, path, want string) {
	t.Helper()
	if got, err := os.ReadFile(path); err != nil || string(got) != want {
		t.Errorf("%s: %q, %v", path, got, err)
	}
}

func TestBind(t *testing.T) {
	dir := tree(t, "root/", "src/file")
	m := on(t, dir, &api.Mount{Type: "bind", Source: dir + "/src", Options: []string{"rbind", "ro", "nosuid", "noatime", "rprivate"}})
	has(t, dir+"/root/file", "src/file")
	for _, word := range []string{"ro", "nosuid", "noatime"} {
		if !strings.Contains(","+m.Options+",", ","+word+",") {
			t.Errorf("no %s in %s", word, m.Options)
		}
	}
	if os.WriteFile(dir+"/root/new", nil, 0o644) == nil {
		t.Error("it can be written")
	}
}

// TestBindRecursive has an attribute of the mounts below, and one of the topmost alone.
func TestBindRecursive(t *testing.T) {
	dir := tree(t, "root/", "src/sub/")
	if err := unix.Mount("tmpfs", dir+"/src/sub", "tmpfs", 0, ""); err != nil {
		t.Fatal(err)
	}
	defer unix.Unmount(dir+"/src/sub", 0)
	m := on(t, dir, &api.Mount{Type: "bind", Source: dir + "/src", Options: []string{"rbind", "rnodev", "nosuid"}})
	if m.Mountpoint != dir+"/root/sub" || !strings.Contains(m.Options, "nodev") || strings.Contains(m.Options, "nosuid") {
		t.Errorf("the mount below has %s", m.Options)
	}
	if err := mount.Unmount(dir + "/root"); err != nil {
		t.Error(err)
	}
}

func TestOverlay(t *testing.T) {
	dir := tree(t, "root/", "1/a", "2/b", "up/", "work/")
	on(t, dir, &api.Mount{Type: "overlay", Source: "overlay", Options: []string{"lowerdir=" + dir + "/2:" + dir + "/1", "upperdir=" + dir + "/up", "workdir=" + dir + "/work"}})
	has(t, dir+"/root/a", "1/a")
	has(t, dir+"/root/b", "2/b")
	if err := os.WriteFile(dir+"/root/c", []byte("c"), 0o644); err != nil {
		t.Fatal(err)
	}
	has(t, dir+"/up/c", "c")
}

// TestOverlayOfManyLayers has more in its options than the kernel takes in one page.
func TestOverlayOfManyLayers(t *testing.T) {
	long := strings.Repeat("x", 80)
	names := []string{"root/"}
	for i := range 80 {
		names = append(names, fmt.Sprintf("%s/%d/%d", long, i, i))
	}
	dir := tree(t, names...)
	var lower []string
	for i := range 80 {
		lower = append(lower, fmt.Sprintf("%s/%s/%d", dir, long, i))
	}
	on(t, dir, &api.Mount{Type: "overlay", Source: "overlay", Options: []string{"lowerdir=" + strings.Join(lower, ":")}})
	has(t, dir+"/root/79", long+"/79/79")
}

// TestOverlayWithMappedIDs is what containerd's overlay snapshotter gives for a container in a user namespace.
func TestOverlayWithMappedIDs(t *testing.T) {
	dir := tree(t, "root/", "1/a", "up/", "work/")
	if err := mount.All([]*api.Mount{{Type: "overlay", Source: "overlay", Options: []string{"lowerdir=" + dir + "/1", "upperdir=" + dir + "/up",
		"workdir=" + dir + "/work", "uidmap=0:70000:100", "gidmap=0:80000:100"}}}, dir+"/root"); err != nil {
		if strings.Contains(err.Error(), "does not support") {
			t.Skip(err)
		}
		t.Fatal(err)
	}
	var st unix.Stat_t
	if err := unix.Stat(dir+"/root/a", &st); err != nil || st.Uid != 70000 || st.Gid != 80000 {
		t.Errorf("owner %d:%d, %v", st.Uid, st.Gid, err)
	}
	if _, err := os.Stat(dir + "/root" + mount.MappedSuffix); err == nil {
		t.Error("the directory for the lower ones is still there")
	}
}

func TestBindWithMappedIDs(t *testing.T) {
	dir := tree(t, "root/", "src/a")
	if err := mount.All([]*api.Mount{{Type: "bind", Source: dir + "/src", Options: []string{"bind", "uidmap=0:70000:100", "gidmap=0:80000:100", "nodev"}}}, dir+"/root"); err != nil {
		t.Skip(err) // overlayfs itself, of which the test's directory may be, has no id-mapped mounts
	}
	var st unix.Stat_t
	if err := unix.Stat(dir+"/root/a", &st); err != nil || st.Uid != 70000 || st.Gid != 80000 {
		t.Errorf("owner %d:%d, %v", st.Uid, st.Gid, err)
	}
}

// TestTarget has mounts below the root file system, one of them behind a link that the image has made.
func TestTarget(t *testing.T) {
	dir := tree(t, "root/", "src/in/", "src/outside/", "other/file")
	if err := os.Symlink("/outside", dir+"/src/link"); err != nil {
		t.Fatal(err)
	}
	on(t, dir, &api.Mount{Type: "bind", Source: dir + "/src", Options: []string{"rbind"}},
		&api.Mount{Type: "bind", Source: dir + "/other", Target: "in", Options: []string{"bind", "ro"}},
		&api.Mount{Type: "bind", Source: dir + "/other", Target: "link", Options: []string{"bind"}})
	has(t, dir+"/root/in/file", "other/file")
	has(t, dir+"/root/outside/file", "other/file")
	if os.WriteFile(dir+"/root/in/file", nil, 0o644) == nil {
		t.Error("a read-only mount below can be written")
	}
}

func TestPropagation(t *testing.T) {
	dir := tree(t, "root/")
	m := on(t, dir, &api.Mount{Type: "tmpfs", Source: "tmpfs", Options: []string{"size=1m", "shared", "noexec", "mode=0711"}})
	if !strings.Contains(m.Optional, "shared:") || !strings.Contains(m.Options, "noexec") || !strings.Contains(m.VFSOptions, "size=1024k") {
		t.Errorf("%+v", m)
	}
}

// TestUndo has the second mount fail: nothing is left of the first.
func TestUndo(t *testing.T) {
	dir := tree(t, "root/", "src/")
	for _, bad := range []*api.Mount{
		{Type: "nosuchfs", Source: "x"}, {Type: "bind", Source: dir + "/missing", Options: []string{"bind"}}, {Type: "tmpfs", Options: []string{"tmpcopyup"}},
		{Type: "bind", Source: dir + "/src", Target: "missing", Options: []string{"bind"}}, {Type: "tmpfs", Source: "tmpfs", Options: []string{"nosuchoption"}},
		{Type: "ext4", Source: dir + "/missing", Options: []string{"loop"}}, {Type: "tmpfs", Source: "tmpfs", Options: []string{"uidmap=0:1:1", "gidmap=0:1:1"}},
		{Type: "overlay", Source: "overlay", Options: []string{"uidmap=0:1:1", "gidmap=0:1:1", "lowerdir=" + dir + "/missing"}},
	} {
		err := mount.All([]*api.Mount{{Type: "tmpfs", Source: "tmpfs"}, bad}, dir+"/root")
		if err == nil || !strings.Contains(err.Error(), "rootfs[1]") {
			t.Errorf("%+v: %v", bad, err)
		}
		if list := mounts(t, dir); len(list) > 0 {
			t.Errorf("%+v: left %v", bad, list[0])
		}
	}
}

// TestUnmountBusy has somebody in the root file system, and several layers.
func TestUnmountBusy(t *testing.T) {
	dir := tree(t, "root/", "src/sub/")
	on(t, dir, &api.Mount{Type: "tmpfs", Source: "tmpfs"}, &api.Mount{Type: "bind", Source: dir + "/src", Options: []string{"bind"}},
		&api.Mount{Type: "tmpfs", Source: "tmpfs", Target: "sub"})
	f, err := os.Open(dir + "/root/sub")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for range 2 {
		if err := mount.Unmount(dir + "/root"); err != nil {
			t.Error(err)
		}
	}
	if list := mounts(t, dir); len(list) > 0 {
		t.Errorf("left: %v", list[0])
	}
	if err := mount.Unmount(dir + "/never"); err != nil {
		t.Error(err)
	}
}
