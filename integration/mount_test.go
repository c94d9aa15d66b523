package integration

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/integration/facts"
)

func TestDefaultMounts(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	f := r.Run(newBundle(t, probe("dump"))).Facts()
	for point, kind := range map[string]string{
		"/proc": "proc", "/dev": "tmpfs", "/dev/pts": "devpts", "/dev/shm": "tmpfs", "/dev/mqueue": "mqueue", "/sys": "sysfs",
	} {
		if m := f.MountAt(point); m == nil || m.Type != kind {
			t.Errorf("%s: %+v, want a %s", point, m, kind)
		}
	}
}

// The options of the spec's table that show in mountinfo (config.md, "Linux mount options").
func TestMountOptions(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	for option, c := range map[string]struct {
		shown, hidden string // must, must not be among the mount's options
		super         bool   // look at the options of the super block
		dhow          bool   // newer than the peer
	}{
		"ro": {shown: "ro"}, "rw": {shown: "rw"},
		"nosuid": {shown: "nosuid"}, "suid": {hidden: "nosuid"},
		"nodev": {shown: "nodev"}, "dev": {hidden: "nodev"},
		"noexec": {shown: "noexec"}, "exec": {hidden: "noexec"},
		"noatime": {shown: "noatime"}, "relatime": {shown: "relatime"}, "atime": {shown: "relatime"},
		"strictatime": {hidden: "relatime"}, "nodiratime": {shown: "nodiratime"}, "diratime": {hidden: "nodiratime"},
		"norelatime": {hidden: "noatime"}, "nostrictatime": {shown: "relatime"},
		"nosymfollow": {shown: "nosymfollow", dhow: true}, "symfollow": {hidden: "nosymfollow", dhow: true},
		"sync": {shown: "sync", super: true}, "async": {hidden: "sync", super: true},
		"dirsync": {shown: "dirsync", super: true}, "mand": {}, "nomand": {hidden: "mand", super: true},
		"lazytime": {shown: "lazytime", super: true}, "nolazytime": {hidden: "lazytime", super: true},
		"iversion": {}, "noiversion": {}, "silent": {}, "loud": {},
		"size=128k": {shown: "size=128k", super: true}, "mode=711": {shown: "mode=711", super: true},
		"size=64k,mode=700": {shown: "mode=700", super: true}, // one word, as mount(8) has it
		"nr_inodes=77":      {shown: "nr_inodes=77", super: true}, "uid=7": {shown: "uid=7", super: true},
	} {
		t.Run(option, func(t *testing.T) {
			if c.dhow {
				onlyDhow(t, "1.1 knows no "+option)
			}
			t.Parallel()
			r := &cli{t: t, Path: r.Path, Root: filepath.Join(t.TempDir(), "root")}
			m := r.Run(newBundle(t, probe("dump"), Mount("tmpfs", "tmpfs", "/mnt", option))).Facts().MountAt("/mnt")
			if m == nil || m.Type != "tmpfs" {
				t.Fatalf("no tmpfs on /mnt: %+v", m)
			}
			options := m.Options
			if c.super {
				options = m.SuperOptions
			}
			if c.shown != "" && !slices.Contains(options, c.shown) {
				t.Errorf("%v lacks %s", options, c.shown)
			}
			if c.hidden != "" && slices.Contains(options, c.hidden) {
				t.Errorf("%v has %s", options, c.hidden)
			}
		})
	}
}

func TestOptionsOfABind(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	src := t.TempDir()
	f := r.Run(newBundle(t, probe("dump"), Bind(src, "/mnt", "ro", "nosuid", "nodev", "noexec"))).Facts()
	m := f.MountAt("/mnt")
	for _, option := range []string{"ro", "nosuid", "nodev", "noexec"} {
		if !slices.Contains(m.Options, option) {
			t.Errorf("%v lacks %s", m.Options, option)
		}
	}
}

// A plain attribute holds for the mount itself, an r… attribute for those below it too.
func TestRecursiveAttributes(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	for option, want := range map[string]string{
		"rro": "ro", "rnosuid": "nosuid", "rnodev": "nodev", "rnoexec": "noexec", "rnodiratime": "nodiratime",
		"rnoatime": "noatime", "rrelatime": "relatime", "rnosymfollow": "nosymfollow",
	} {
		src := tmpfsTree(t)
		f := r.Run(newBundle(t, probe("dump"), Bind(src, "/mnt", option))).Facts()
		for _, point := range []string{"/mnt", "/mnt/below"} {
			if m := f.MountAt(point); m == nil || !slices.Contains(m.Options, want) {
				t.Errorf("%s: %s is %+v, want %s", option, point, m, want)
			}
		}
	}
	f := r.Run(newBundle(t, probe("dump"), Bind(tmpfsTree(t), "/mnt", "ro"))).Facts()
	if m := f.MountAt("/mnt/below"); slices.Contains(m.Options, "ro") {
		t.Errorf("ro went down to /mnt/below: %v", m.Options)
	}
}

func TestPlainBindLeavesSubmountsOut(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	f := r.Run(newBundle(t, probe("dump"), Mount("bind", tmpfsTree(t), "/mnt", "bind"))).Facts()
	if f.MountAt("/mnt") == nil || f.MountAt("/mnt/below") != nil {
		t.Errorf("/mnt %v, /mnt/below %v", f.MountAt("/mnt"), f.MountAt("/mnt/below"))
	}
}

func TestBindOfAFile(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	src := filepath.Join(t.TempDir(), "file")
	must(t, os.WriteFile(src, []byte("from the host"), 0o644))
	b := newBundle(t, Shell("cat /etc/deep/er/file; echo more > /etc/deep/er/file"), Bind(src, "/etc/deep/er/file"))
	r.Run(b).Exited(0).Printed("from the host")
	if got := readFile(t, src); got != "more" {
		t.Errorf("the host sees %q", got)
	}
}

func TestReadonlyBindCannotBeWritten(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	res := r.Run(newBundle(t, Shell("touch /mnt/x"), Bind(t.TempDir(), "/mnt", "ro"))).Failed("Read-only file system")
	if res.Code == 0 {
		t.Error("written")
	}
}

func TestDestinationsAreMade(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	b := newBundle(t, Shell("touch /a/b/c/file"), Mount("tmpfs", "tmpfs", "/a/b/c"))
	r.Run(b).Exited(0)
	if info, err := os.Stat(filepath.Join(b.Rootfs(), "a/b/c")); err != nil || !info.IsDir() {
		t.Errorf("destination: %v %v", info, err)
	}
}

func TestBindSourceRelativeToTheBundle(t *testing.T) {
	onlyDhow(t, "runc 1.1 joins relative sources with the bundle only for binds it cleans itself")
	t.Parallel()
	r := newCLI(t)
	b := newBundle(t, Shell("cat /mnt/file"), Bind("data", "/mnt"))
	must(t, os.Mkdir(filepath.Join(b.Dir, "data"), 0o755))
	must(t, os.WriteFile(filepath.Join(b.Dir, "data/file"), []byte("near"), 0o644))
	r.Run(b).Exited(0).Printed("near")
}

func TestMountsInOrder(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	b := newBundle(t, Shell("ls /mnt; ls /mnt/in"), Mount("tmpfs", "tmpfs", "/mnt"), Mount("tmpfs", "tmpfs", "/mnt/in"),
		Bind("/proc/self/status", "/mnt/in/status"))
	r.Run(b).Exited(0).Printed("in\nstatus")
}

func TestReadonlyRoot(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	b := newBundle(t, Shell("touch /x || touch /dev/shm/x && echo fine"), func(b *Bundle) { b.Spec.Root.Readonly = true })
	res := r.Run(b).Exited(0).Printed("fine")
	if !strings.Contains(res.Stderr, "Read-only file system") {
		t.Errorf("stderr %q", res.Stderr)
	}
}

func TestAbsoluteRootPath(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	b := newBundle(t, Shell("hostname"), func(b *Bundle) { b.Spec.Root.Path = b.Rootfs() })
	r.Run(b).Exited(0).Printed("box")
}

func TestTmpcopyup(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	b := newBundle(t, Shell("cat /etc/copied; ls -ld /etc | cut -c1-10; stat -f -c %T /etc"),
		File("etc/copied", "kept\n", 0o640), Mount("tmpfs", "tmpfs", "/etc", "tmpcopyup"))
	r.Run(b).Exited(0).Printed("kept\ndrwxr-xr-x\ntmpfs")
}

func TestCgroupMount(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	b := newBundle(t, probe("dump"), Namespace(specs.CgroupNamespace, ""),
		Mount("cgroup", "cgroup", "/sys/fs/cgroup", "nosuid", "noexec", "nodev", "ro"))
	f := r.Run(b).Facts()
	if len(f.Mounts) == 0 || !slices.ContainsFunc(lines(f.Cgroup), func(l string) bool { return strings.HasSuffix(l, ":/") }) {
		t.Errorf("cgroups seen inside: %q", f.Cgroup)
	}
	readonly := func(m facts.Mount) bool {
		return strings.HasPrefix(m.Point, "/sys/fs/cgroup") && strings.HasPrefix(m.Type, "cgroup") && slices.Contains(m.Options, "ro")
	}
	if !slices.ContainsFunc(f.Mounts, readonly) {
		t.Errorf("no read-only control group below /sys/fs/cgroup: %+v", f.Mounts)
	}
}

// A remount reaches the file system too, if it is one that the config has mounted there.
func TestRemount(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	for name, c := range map[string]struct {
		first, second []string
		script, want  string
	}{
		"read-only":            {[]string{"size=128k"}, []string{"remount", "ro", "nosuid"}, "touch /mnt/x || echo no", "no\nro,nosuid ro,size=128k"},
		"writable again":       {[]string{"ro", "mode=755"}, []string{"remount", "rw"}, "touch /mnt/x && echo yes", "yes\nrw rw,mode=755"},
		"writable, with modes": {[]string{"ro"}, []string{"remount", "rw"}, "touch /mnt/x && echo yes", "yes\nrw rw"},
		"size":                 {[]string{"size=128k", "mode=755"}, []string{"remount", "size=256k"}, "echo", "size=256k"},
		"twice":                {[]string{"mode=755"}, []string{"remount", "ro", "rw"}, "touch /mnt/x && echo yes", "yes\nrw rw"},
	} {
		t.Run(name, func(t *testing.T) {
			if name == "read-only" || slices.Contains(c.first, "ro") {
				onlyDhow(t, "1.5 makes what was to be read-only so at the end, and not its file system")
			}
			t.Parallel()
			r := &cli{t: t, Path: r.Path, Root: filepath.Join(t.TempDir(), "root")}
			show := c.script + "; sed -n 's/.* .mnt \\([a-z,]*\\),relatime .* tmpfs /\\1 /p' /proc/self/mountinfo"
			res := r.Run(newBundle(t, Shell(show), Mount("tmpfs", "tmpfs", "/mnt", c.first...), Mount("tmpfs", "tmpfs", "/mnt", c.second...))).Exited(0)
			if !strings.Contains(res.Stdout, c.want) {
				t.Errorf("it prints %q, want %q", res.Stdout, c.want)
			}
		})
	}
}

// The file system of a bind mount is the host's, and stays as it is.
func TestRemountOfABind(t *testing.T) {
	onlyDhow(t, "1.1 changes the file system too")
	t.Parallel()
	r := newCLI(t)
	at := itoa(len(DefaultSpec().Mounts) + 1)
	dir := onTmpfs(t)
	r.Run(newBundle(t, Shell("touch /mnt/x"), Bind(dir, "/mnt", "ro"), Mount("none", "none", "/mnt", "remount", "rw"))).Exited(0)
	r.Run(newBundle(t, Shell("touch /mnt/y || echo read-only"), Bind(dir, "/mnt"), Mount("none", "none", "/mnt", "remount", "ro"))).Exited(0).Printed("read-only")
	must(t, os.WriteFile(filepath.Join(dir, "z"), nil, 0o644))
	for option, word := range map[string]string{"size=1m": `"size"`, "sync": `"sync"`, "nr_inodes=9": `"nr_inodes"`} {
		b := newBundle(t, Bind(dir, "/mnt"), Mount("tmpfs", "tmpfs", "/mnt", "remount", option))
		r.Run(b).Failed("cannot remount /mnt (mounts[" + at + "].options[1]): " + word + " is an option of the file system, not of the mount").Exited(1)
	}
}

// longLayers makes directories whose names joined by colons are longer than fsconfig(2) takes a string. Each
// has a file of its own, and the same file with its number in it.
func longLayers(t *testing.T, n int) string {
	t.Helper()
	var list []string
	for i := range n {
		dir := filepath.Join(t.TempDir(), strings.Repeat("x", 30), itoa(i))
		must(t, os.MkdirAll(dir, 0o755))
		must(t, os.WriteFile(filepath.Join(dir, "file"+itoa(i)), nil, 0o644))
		must(t, os.WriteFile(filepath.Join(dir, "same"), []byte(itoa(i)), 0o644))
		list = append(list, dir)
	}
	return strings.Join(list, ":")
}

// An overlay of many layers, whose option is too long for fsconfig(2).
func TestLongMountOptions(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	upper := onTmpfs(t)
	must(t, os.Mkdir(filepath.Join(upper, "u"), 0o777))
	must(t, os.Mkdir(filepath.Join(upper, "w"), 0o777))
	lower := "lowerdir=" + longLayers(t, 12)
	if len(lower) < 512 {
		t.Fatalf("only %d bytes", len(lower))
	}
	show := Shell("cat /mnt/same; ls /mnt | wc -l; touch /mnt/new || echo read-only; grep ' /mnt ' /proc/self/mountinfo | cut -d' ' -f6")
	writable := []string{lower, "upperdir=" + filepath.Join(upper, "u"), "workdir=" + filepath.Join(upper, "w"), "nosuid", "noatime"}
	r.Run(newBundle(t, show, Mount("overlay", "overlay", "/mnt", writable...))).Exited(0).Printed("013\nrw,nosuid,noatime")
	if !exists(filepath.Join(upper, "u", "new")) {
		t.Error("the upper directory does not have the new file")
	}
	r.Run(newBundle(t, show, Mount("overlay", "overlay", "/a/b/mnt", lower, "ro"), Symlink("a/b/mnt", "mnt"))).Exited(0).Printed("013\nread-only")
	// Nothing of the directory that it was made on is to be seen.
	f := r.Run(newBundle(t, probe("dump"), Mount("overlay", "overlay", "/mnt", lower))).Facts()
	plain := r.Run(newBundle(t, probe("dump"), Mount("tmpfs", "overlay", "/mnt"))).Facts()
	if len(f.Mounts) != len(plain.Mounts) {
		t.Errorf("the container has %d mounts, with a tmpfs in its place it has %d: %+v", len(f.Mounts), len(plain.Mounts), f.Mounts)
	}
}

// In a user namespace, and for --no-pivot, the way is the same.
func TestLongMountOptionsElsewhere(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	lower := "lowerdir=" + longLayers(t, 8)
	for dir := range strings.SplitSeq(strings.TrimPrefix(lower, "lowerdir="), ":") {
		for ; dir != filepath.Clean(os.TempDir()); dir = filepath.Dir(dir) {
			must(t, os.Chmod(dir, 0o755))
		}
	}
	r.Run(newBundle(t, Args("cat", "/mnt/same"), MappedUser, Mount("overlay", "overlay", "/mnt", lower))).Exited(0).Printed("0")
	b := newBundle(t, Args("cat", "/mnt/same"), Mount("overlay", "overlay", "/mnt", lower))
	r.Do("run", "--no-pivot", "--bundle", b.Dir, r.ID()).Exited(0).Printed("0")
}

// onTmpfs makes a directory on a tmpfs: an overlay takes no upper directory on another overlay.
func onTmpfs(t *testing.T) string {
	t.Helper()
	needRoot(t)
	dir := t.TempDir()
	must(t, unix.Mount("tmpfs", dir, "tmpfs", 0, ""))
	t.Cleanup(func() { must(t, unix.Unmount(dir, unix.MNT_DETACH)) })
	return dir
}
