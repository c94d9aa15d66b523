package container

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/creack/pty"
	"github.com/moby/sys/mountinfo"
	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/runtime/checkpoint"
	"github.com/dhow-containers/dhow/spec"
)

func TestCovering(t *testing.T) {
	mounts := []specs.Mount{{Destination: "/a", Source: "1"}, {Destination: "/a/b/", Source: "2"}, {Destination: "/ab", Source: "3"}}
	for destination, want := range map[string]string{"/a/b/c": "2", "/a/x": "1", "/abc": "", "/a": "", "/ab/c": "3"} {
		got := ""
		if m := covering(mounts, destination); m != nil {
			got = m.Source
		}
		if got != want {
			t.Errorf("%s is below %q, want %q", destination, got, want)
		}
	}
}

func TestMakeMountPoints(t *testing.T) {
	bundle, outside := t.TempDir(), t.TempDir()
	rootfs := filepath.Join(bundle, "rootfs")
	for _, dir := range []string{rootfs, filepath.Join(bundle, "src")} {
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(bundle, "f"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, filepath.Join(rootfs, "evil")); err != nil { // security rule 1
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(rootfs, outside), 0o755); err != nil {
		t.Fatal(err)
	}
	config := &specs.Spec{Mounts: []specs.Mount{
		{Destination: "/proc", Type: "proc"},
		{Destination: "/proc/x", Type: "tmpfs"}, // criu's
		{Destination: "/a/b", Source: "src", Options: []string{"rbind"}},
		{Destination: "/a/b/c/d", Type: "bind", Source: "f"},
		{Destination: "/evil/in", Type: "tmpfs"},
		{Destination: "/cg", Type: "cgroup"},
	}}
	if err := makeMountPoints(config, bundle, rootfs); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]bool{
		rootfs + "/proc": true, rootfs + "/proc/x": false, rootfs + "/a/b": true, rootfs + "/a/b/c": false, bundle + "/src/c/d": true,
		outside + "/in": false, rootfs + outside + "/in": true, rootfs + "/cg": false,
	} {
		if _, err := os.Lstat(path); (err == nil) != want {
			t.Errorf("%s: %v, want it there: %t", path, err, want)
		}
	}
	if st, err := os.Stat(bundle + "/src/c/d"); err != nil || !st.Mode().IsRegular() {
		t.Errorf("the mount point of a file: %v, %v", st, err)
	}
	if err := makeMountPoints(config, bundle, rootfs); err != nil {
		t.Errorf("the second time: %v", err)
	}
}

func TestMountsBelow(t *testing.T) {
	host := []*mountinfo.Info{{Mountpoint: "/x"}, {Mountpoint: "/src"}, {Mountpoint: "/src/a"}, {Mountpoint: "/src/a/b"}, {Mountpoint: "/srca"}}
	got := mountsBelow(host, "/src", "/dst")
	want := []checkpoint.Mount{{Key: "/dst/a", Value: "/src/a"}, {Key: "/dst/a/b", Value: "/src/a/b"}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestInheritMountNames(t *testing.T) {
	m := func(id, parent int, at string) *mountinfo.Info {
		return &mountinfo.Info{ID: id, Parent: parent, Mountpoint: at}
	}
	table := &mountTable{
		mount: map[int]*mountinfo.Info{1: m(1, 99, "/"), 2: m(2, 1, "/d"), 3: m(3, 2, "/d/sub"), 4: m(4, 3, "/d/sub/own"), 5: m(5, 4, "/d/sub/own/x"),
			6: m(6, 1, "/proc/keys")},
		name: map[int]string{2: "/conf/d", 6: nullName},
		own:  map[int]bool{4: true},
	}
	table.below()
	want := map[int]string{2: "/conf/d", 3: "/conf/d/sub", 6: nullName}
	if !reflect.DeepEqual(table.name, want) {
		t.Errorf("%v, want %v", table.name, want)
	}
}

func TestInheritStreams(t *testing.T) {
	r := &restoring{making: making{blueprint: &blueprint{doc: &spec.Document{Spec: &specs.Spec{Process: &specs.Process{}}}}}, options: &RestoreOptions{}}
	r.streams = streams{"pipe:[1]", "file[1:2]", "file[1:2]"}
	j := &checkpoint.Job{}
	if err := r.inheritStreams(j, func(string, int) { t.Error("opened again") }); err != nil {
		t.Fatal(err)
	}
	if want := []checkpoint.InheritFD{{Key: "pipe:[1]", FD: 0}, {Key: "file[1:2]", FD: 1}}; !reflect.DeepEqual(j.InheritFDs, want) {
		t.Errorf("%v, want %v", j.InheritFDs, want)
	}
	in, out, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	defer out.Close()
	r.options.Stdio = &[3]uintptr{in.Fd(), out.Fd(), out.Fd()}
	r.streams = streams{"file[1:2] /dev/null", "pipe:[1]", "file[1:2] /dev/null"}
	j = &checkpoint.Job{}
	var keys []string
	if err := r.inheritStreams(j, func(key string, fd int) { keys = append(keys, key); unix.Close(fd) }); err != nil {
		t.Fatal(err)
	}
	if want := []checkpoint.InheritFD{{Key: "pipe:[1]", FD: 1}}; !reflect.DeepEqual(j.InheritFDs, want) || !reflect.DeepEqual(keys, []string{"file[1:2]"}) {
		t.Errorf("null and a pipe: %v, %v", j.InheritFDs, keys)
	}
	r.streams = streams{"/dev/pts/0", "", "socket:[3]"}
	j = &checkpoint.Job{}
	if err := r.inheritStreams(j, nil); err != nil || j.InheritFDs != nil {
		t.Errorf("%v, %v", j.InheritFDs, err)
	}
}

// criu closes what it has inherited: with --shell-job, it gets copies, to keep its own standard input.
func TestInheritStreamsOfAShellJob(t *testing.T) {
	r := &restoring{making: making{blueprint: &blueprint{doc: &spec.Document{Spec: &specs.Spec{Process: &specs.Process{}}}}}, options: &RestoreOptions{}}
	null, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	r.options.ShellJob, r.options.Stdio = true, &[3]uintptr{null.Fd(), null.Fd(), null.Fd()}
	r.streams = streams{"tty[8801:20]", "tty[8801:20]", "pipe:[1]"}
	j := &checkpoint.Job{}
	var keys []string
	err = r.inheritStreams(j, func(key string, fd int) {
		keys = append(keys, key)
		if fd == int(null.Fd()) {
			t.Errorf("%s is descriptor %d itself", key, fd)
		}
		unix.Close(fd)
	})
	if err != nil || j.InheritFDs != nil || !reflect.DeepEqual(keys, []string{"tty[8801:20]", "pipe:[1]"}) {
		t.Errorf("%v, %v, %v", j.InheritFDs, keys, err)
	}
	if !r.streams.shellJob() || (streams{"pipe:[1]", "file[1:2]", "/dev/pts/0"}).shellJob() {
		t.Error("which streams are a shell job's")
	}
	if got := r.streams.external(); !reflect.DeepEqual(got, []string{"tty[8801:20]", "tty[8801:20]"}) {
		t.Errorf("external: %v", got)
	}
}

// A terminal of another mount is named by its device.
func TestOutsideTerminal(t *testing.T) {
	master, slave, err := pty.Open()
	if err != nil {
		t.Skipf("no terminals: %v", err)
	}
	defer master.Close()
	defer slave.Close()
	var st unix.Stat_t
	if err := unix.Fstat(int(slave.Fd()), &st); err != nil {
		t.Fatal(err)
	}
	if name, want := outsideFile("/proc/self", int(slave.Fd()), "1 0 other"), fmt.Sprintf("tty[%x:%x]", st.Rdev, st.Dev); name != want {
		t.Errorf("named %q, want %q", name, want)
	}
}

// A file is outside when its mount is not among the container's.
func TestOutsideFile(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), "f"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	fd := int(f.Fd())
	if name := outsideFile("/proc/self", fd, "1 0 other"); name == "" || name[:5] != filePrefix {
		t.Errorf("named %q", name)
	}
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	if name := outsideFile("/proc/self", fd, string(mounts)); name != "" {
		t.Errorf("a file of an own mount is named %q", name)
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	if fdFlags("/proc/self", int(r.Fd())) != 0 || fdFlags("/proc/self", int(w.Fd())) != 1 {
		t.Error("access modes of a pipe")
	}
}

func TestRecordRestored(t *testing.T) {
	for _, restored := range []bool{false, true} {
		r := &record{ID: "a", Created: time.Unix(1, 0).UTC(), Config: []byte(`{}`), Restored: restored}
		got, err := decodeRecord(r.encode())
		if err != nil || got.Restored != restored {
			t.Errorf("%+v, %v", got, err)
		}
	}
}

// A container that is restored gets no more of the caller's files than the caller has handed over.
func TestReadWrite(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		path string
		how  int
		ok   bool
	}{{file, os.O_RDONLY, false}, {file, os.O_WRONLY, false}, {file, os.O_RDWR, true}, {os.DevNull, os.O_RDONLY, true}} {
		f, err := os.OpenFile(c.path, c.how, 0)
		if err != nil {
			t.Fatal(err)
		}
		fd, err := readWrite(int(f.Fd()))
		if (err == nil) != c.ok {
			t.Errorf("%s, opened with %d: %v", c.path, c.how, err)
		}
		if err == nil {
			unix.Close(fd)
		}
		f.Close()
	}
}

// A descriptor that criu sends without being asked is closed, also when what it tells of fails.
func TestRestoreClosesDescriptors(t *testing.T) {
	for _, script := range []string{"setup-namespaces", "post-restore", "pre-resume"} {
		fd, err := dgram()
		if err != nil {
			t.Fatal(err)
		}
		r := &restoring{making: making{handle: &handle{store: &Store{}}}}
		if err := r.notified(checkpoint.Notification{Script: script, Pid: -1, FD: fd}); err == nil && script != "pre-resume" {
			t.Errorf("%s of no process: no error", script)
		}
		if _, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err != unix.EBADF {
			t.Errorf("%s: the descriptor is still open", script)
		}
	}
}
