package volume

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/containerd/errdefs"
	types "github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/mount"
	"golang.org/x/sys/unix"
)

func needRoot(t *testing.T) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("needs root: it mounts, or gives files to others")
	}
}

// image makes a root file system with /data of many kinds of files.
func image(t *testing.T) (dir string, root *os.File) {
	t.Helper()
	dir = t.TempDir()
	data := filepath.Join(dir, "data")
	for _, err := range []error{
		os.MkdirAll(filepath.Join(data, "sub"), 0o750),
		os.Chown(data, 10, 20),
		os.Chmod(data, 0o1770),
		os.WriteFile(filepath.Join(data, "sub/file"), []byte("text"), 0o600),
		os.Chown(filepath.Join(data, "sub/file"), 1, 2),
		os.Chmod(filepath.Join(data, "sub/file"), os.ModeSetuid|0o755),
		unix.Setxattr(filepath.Join(data, "sub/file"), "trusted.x", []byte("value"), 0),
		os.Link(filepath.Join(data, "sub/file"), filepath.Join(data, "hard")),
		os.Symlink("/etc/passwd", filepath.Join(data, "link")),
		os.Lchown(filepath.Join(data, "link"), 3, 4),
		unix.Mkfifo(filepath.Join(data, "fifo"), 0o622),
		unix.Mknod(filepath.Join(data, "socket"), unix.S_IFSOCK|0o777, 0),
		os.Symlink("data", filepath.Join(dir, "alias")),
		os.Symlink("../../../../../../../../tmp", filepath.Join(dir, "out")),
		os.WriteFile(filepath.Join(dir, "plain"), nil, 0o600),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	root, err := os.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { root.Close() })
	return dir, root
}

func stat(t *testing.T, path string) unix.Stat_t {
	t.Helper()
	var st unix.Stat_t
	if err := unix.Lstat(path, &st); err != nil {
		t.Fatal(path, err)
	}
	return st
}

func TestPopulate(t *testing.T) {
	needRoot(t)
	b := start(t)
	from, root := image(t)
	mounts := b.use("c", &types.HostConfig{Binds: []string{"vv:/alias"}}, nil)
	if err := b.Populate(t.Context(), "c", mounts, root); err != nil {
		t.Fatal(err)
	}
	data := b.data("vv")
	for _, name := range []string{"", "sub", "sub/file", "hard", "link", "fifo", "socket"} {
		was, is := stat(t, filepath.Join(from, "data", name)), stat(t, filepath.Join(data, name))
		if was.Mode != is.Mode || was.Uid != is.Uid || was.Gid != is.Gid || was.Mtim != is.Mtim || was.Nlink != is.Nlink {
			t.Errorf("%q: %+v, was %+v", name, is, was)
		}
	}
	if stat(t, filepath.Join(data, "hard")).Ino != stat(t, filepath.Join(data, "sub/file")).Ino {
		t.Error("the hard link is a file of its own")
	}
	value := make([]byte, 10)
	if n, err := unix.Getxattr(filepath.Join(data, "hard"), "trusted.x", value); err != nil || string(value[:n]) != "value" {
		t.Error(string(value), err)
	}
	if to, err := os.Readlink(filepath.Join(data, "link")); err != nil || to != "/etc/passwd" {
		t.Error(to, err)
	}
	if _, err := os.Stat(filepath.Join(b.dir, "volumes/vv", copyName)); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}

func TestPopulateNot(t *testing.T) {
	needRoot(t)
	b := start(t)
	_, root := image(t)
	full := b.create("full", nil, nil)
	if err := os.WriteFile(filepath.Join(full.Mountpoint, "own"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	mounts := b.use("c", &types.HostConfig{Binds: []string{"full:/data", "nocopy:/data/sub:nocopy", "none:/none", "out:/out"}}, nil)
	if err := b.Populate(t.Context(), "c", mounts, root); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]int{"full": 1, "nocopy": 0, "none": 0, "out": 0} { // /tmp of the host is not empty
		if l, err := os.ReadDir(b.data(name)); err != nil || len(l) != want {
			t.Error(name, l, err)
		}
	}
	mounts = b.use("c", &types.HostConfig{}, map[string]struct{}{"/plain": {}})
	want(t, b.Populate(t.Context(), "c", mounts, root), errdefs.IsInvalidArgument, "cannot mount volume over existing file, file exists /plain")
}

// A volume that a container runs with is filled in place: the container would not see one that takes its place. What
// the container puts in the way is not followed.
func TestPopulateInUse(t *testing.T) {
	needRoot(t)
	b := start(t)
	_, root := image(t)
	mounts := b.use("c1", &types.HostConfig{Binds: []string{"vv:/data"}}, nil)
	if _, err := b.Mount(t.Context(), "c1", mounts); err != nil {
		t.Fatal(err)
	}
	was := stat(t, b.data("vv")).Ino
	if err := b.Populate(t.Context(), "c", mounts, root); err != nil {
		t.Fatal(err)
	}
	if stat(t, b.data("vv")).Ino != was {
		t.Error("the directory has been replaced")
	}
}

// A name that has become a symbolic link since it was made is not followed by what is linked to it.
func TestLinkFollowsNothing(t *testing.T) {
	dir := t.TempDir()
	for _, err := range []error{
		os.Mkdir(filepath.Join(dir, "copy"), 0o700),
		os.Mkdir(filepath.Join(dir, "outside"), 0o700),
		os.WriteFile(filepath.Join(dir, "outside/file"), nil, 0o600),
		os.Symlink("../outside", filepath.Join(dir, "copy/sub")),
		os.Symlink("../outside/file", filepath.Join(dir, "copy/direct")),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	root, err := os.Open(filepath.Join(dir, "copy"))
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	c := &copier{root: root}
	for _, first := range []string{"./sub/file", "./../outside/file"} {
		if err := c.link(first, root, "new"); err == nil {
			t.Error(first, "was followed")
		}
	}
	if st := stat(t, filepath.Join(dir, "outside/file")); st.Nlink != 1 {
		t.Error("a file outside has another name")
	}
}

func TestKilledInPopulate(t *testing.T) {
	b := start(t)
	b.create("vv", nil, nil)
	half := filepath.Join(b.dir, "volumes/vv", copyName)
	if err := os.Mkdir(half, 0o700); err != nil {
		t.Fatal(err)
	}
	b.restart()
	if _, err := os.Stat(half); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}

func mountedAt(t *testing.T, path string) bool {
	t.Helper()
	text, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	return strings.Contains(string(text), " "+path+" ")
}

func TestDevice(t *testing.T) {
	needRoot(t)
	b := start(t)
	_, root := image(t)
	v := b.create("dev", nil, map[string]string{"type": "tmpfs", "device": "tmpfs", "o": "size=1m,noexec"})
	t.Cleanup(func() { unix.Unmount(v.Mountpoint, unix.MNT_DETACH) })
	h := &types.HostConfig{Binds: []string{"dev:/data"}}
	first, second := b.use("c1", h, nil), b.use("c2", h, nil)
	if err := b.Populate(t.Context(), "c", first, root); err != nil {
		t.Fatal(err)
	}
	if mountedAt(t, v.Mountpoint) {
		t.Error("mounted while nobody runs")
	}
	for _, id := range []string{"c1", "c2"} {
		if _, err := b.Mount(t.Context(), id, first); err != nil {
			t.Fatal(err)
		}
	}
	var st unix.Statfs_t
	if err := unix.Statfs(v.Mountpoint, &st); err != nil || st.Type != unix.TMPFS_MAGIC || st.Flags&unix.ST_NOEXEC == 0 {
		t.Error(st, err)
	}
	b.restart() // c1 has ended meanwhile
	b.Refer("c1", first, false)
	b.Refer("c2", second, true)
	if err := b.Unmount(t.Context(), "c1", first); err != nil || !mountedAt(t, v.Mountpoint) {
		t.Error("unmounted while it is in use", err)
	}
	want(t, b.VolumeRemove(t.Context(), "dev", false), errdefs.IsConflict, "in use")
	for range 2 {
		if err := b.Unmount(t.Context(), "c2", second); err != nil || mountedAt(t, v.Mountpoint) {
			t.Error("mounted while nobody uses it", err)
		}
	}
	b.Drop(t.Context(), "c1", first, true)
	b.Drop(t.Context(), "c2", second, true)
	if err := b.VolumeRemove(t.Context(), "dev", false); err != nil {
		t.Error(err)
	}
}

// The options of `docker volume create -o type=none -o o=bind -o device=DIR`.
func TestDeviceBind(t *testing.T) {
	needRoot(t)
	b := start(t)
	_, root := image(t)
	dir := t.TempDir()
	v := b.create("dev", nil, map[string]string{"type": "none", "device": dir, "o": "bind"})
	t.Cleanup(func() { unix.Unmount(v.Mountpoint, unix.MNT_DETACH) })
	mounts := b.use("c1", &types.HostConfig{Binds: []string{"dev:/data"}}, nil)
	if err := b.Populate(t.Context(), "c1", mounts, root); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "sub/file")); err != nil {
		t.Error("the image's files did not come through the mount:", err)
	}
	if _, err := b.Mount(t.Context(), "c1", mounts); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(v.Mountpoint, "sub/file")); err != nil {
		t.Error(err)
	}
	if err := b.Unmount(t.Context(), "c1", mounts); err != nil {
		t.Error(err)
	}
	if err := b.Drop(t.Context(), "c1", mounts, false); err != nil {
		t.Error(err)
	}
	if err := b.VolumeRemove(t.Context(), "dev", false); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "sub/file")); err != nil {
		t.Error("the volume took with it what was not its own:", err)
	}
}

func TestDeviceFails(t *testing.T) {
	needRoot(t)
	b := start(t)
	b.create("dev", nil, map[string]string{"type": "none", "device": "/nowhere/at/all", "o": "bind"})
	mounts := b.use("c1", &types.HostConfig{Binds: []string{"dev:/data"}}, nil)
	_, err := b.Mount(t.Context(), "c1", mounts)
	if err == nil || !strings.Contains(err.Error(), "failed to mount local volume") || !strings.Contains(err.Error(), "/nowhere/at/all") || strings.Contains(err.Error(), "root file system") {
		t.Error(err)
	}
	if e := b.volumes["dev"]; len(e.active) != 0 {
		t.Error("it counts as mounted")
	}
	err = withoutPassword(errors.New("options user=x,password=secret: no"), "user=x,password=secret")
	if strings.Contains(err.Error(), "secret") {
		t.Error(err)
	}
}

// A removal that would empty what somebody has mounted in a volume's directory is refused.
func TestRemoveSparesMounts(t *testing.T) {
	needRoot(t)
	b := start(t)
	v := b.create("vv", nil, nil)
	if err := unix.Mount("tmpfs", v.Mountpoint, "tmpfs", 0, ""); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(v.Mountpoint, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := b.VolumeRemove(t.Context(), "vv", false); err == nil || !strings.Contains(err.Error(), "something is mounted on") {
		t.Error(err)
	}
	if _, err := os.Stat(file); err != nil {
		t.Error(err)
	}
	if err := unix.Unmount(v.Mountpoint, 0); err != nil {
		t.Fatal(err)
	}
	if err := b.VolumeRemove(t.Context(), "vv", false); err != nil {
		t.Error(err)
	}
}

func TestSubpath(t *testing.T) {
	b := start(t)
	v := b.create("vv", nil, nil)
	outside := t.TempDir()
	for _, err := range []error{
		os.MkdirAll(filepath.Join(v.Mountpoint, "a/b"), 0o700),
		os.Symlink("a", filepath.Join(v.Mountpoint, "in")),
		os.Symlink(outside, filepath.Join(v.Mountpoint, "out")),
		os.Symlink("../../..", filepath.Join(v.Mountpoint, "up")),
		os.Symlink("/proc/self/root", filepath.Join(v.Mountpoint, "magic")),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	try := func(below string) ([]Mount, error) {
		mounts := b.use("c", &types.HostConfig{Mounts: []mount.Mount{
			{Type: mount.TypeVolume, Source: "vv", Target: "/d", VolumeOptions: &mount.VolumeOptions{Subpath: below}}}}, nil)
		return b.Mount(t.Context(), "c", mounts)
	}
	for _, below := range []string{"a/b", "in/b"} {
		ready, err := try(below)
		if err != nil {
			t.Fatal(err)
		}
		if to, err := os.Readlink(ready[0].Source); err != nil || to != filepath.Join(v.Mountpoint, "a/b") {
			t.Error(below, to, err)
		}
		if err := b.Unmount(t.Context(), "c", ready); err != nil {
			t.Error(err)
		}
	}
	_, err := try("none")
	want(t, err, errdefs.IsNotFound, "cannot access path "+v.Mountpoint+"/none")
	for _, below := range []string{"out", "up", "magic"} {
		_, err := try(below)
		want(t, err, errdefs.IsInvalidArgument, "leads out of the volume")
	}
	if len(b.opened) != 0 {
		t.Error("descriptors are left open")
	}
}
