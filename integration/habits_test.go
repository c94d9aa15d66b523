package integration

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// What follows no specification says; runc does so, and its own tests (README.md, "runc's own tests") hold it.

func TestEnvironmentHasEachNameOnce(t *testing.T) {
	t.Parallel()
	b := newBundle(t, Args("env"), Env("A=1", "HOME=/x", "A=", "HOME="))
	got := lines(newCLI(t).Run(b).Exited(0).Stdout)
	for name, want := range map[string]string{"A": "A=", "HOME": "HOME=/root"} {
		var found []string
		for _, v := range got {
			if strings.HasPrefix(v, name+"=") {
				found = append(found, v)
			}
		}
		if strings.Join(found, " ") != want {
			t.Errorf("%s: got %q, want %q", name, found, want)
		}
	}
}

// A createContainer hook starts in the container's root, as what is mounted there is seen inside.
func TestCreateContainerHookStartsInTheRoot(t *testing.T) {
	t.Parallel()
	script := "touch lib.so && mount --bind /bin/busybox lib.so"
	b := newBundle(t, Args("stat", "-c", "%s", "/lib.so"), func(b *Bundle) {
		b.Spec.Hooks = &specs.Hooks{CreateContainer: []specs.Hook{{
			Path: "/bin/sh", Args: []string{"sh", "-c", script}, Env: []string{"PATH=/usr/bin:/bin"},
		}}}
	})
	var st unix.Stat_t
	must(t, unix.Stat("/bin/busybox", &st))
	newCLI(t).Run(b).Printed(itoa(int(st.Size)))
}

// A startContainer hook that names no environment has that of the container's process.
func TestStartContainerHookHasTheProcessEnvironment(t *testing.T) {
	t.Parallel()
	script := `[ "$ONE" = two ] && [ -n "$HOME" ]`
	b := newBundle(t, Args("true"), Env("ONE=two"), func(b *Bundle) {
		b.Spec.Hooks = &specs.Hooks{StartContainer: []specs.Hook{{Path: "/bin/sh", Args: []string{"sh", "-c", script}}}}
	})
	r := newCLI(t)
	r.Run(b).Exited(0)
	id := r.Create(b)
	r.Must("start", id)
}

func TestFailedHookIsNumbered(t *testing.T) {
	t.Parallel()
	b := newBundle(t, func(b *Bundle) {
		b.Spec.Hooks = &specs.Hooks{CreateRuntime: []specs.Hook{{Path: "/bin/true"}, {Path: "/bin/false"}}}
	})
	newCLI(t).Run(b).Failed("error running createRuntime hook #1: ")
}

// The kernel ends the processes of a container with its init only where the init is that of a pid namespace.
func TestKillWithoutAPidNamespace(t *testing.T) {
	t.Parallel()
	for _, initGone := range []bool{false, true} {
		r := newCLI(t)
		b := newBundle(t, Shell("sleep 1000 & sleep 1000 & wait"), NoNamespace(specs.PIDNamespace))
		id := r.Started(b)
		var pids []string
		await(t, "the children", func() bool {
			pids = lines(r.Must("ps", "--format", "json", id).Stdout)
			return len(pids) == 1 && strings.Count(pids[0], ",") == 2
		})
		var list []int
		decode(t, pids[0], &list)
		if initGone {
			must(t, unix.Kill(r.State(id).Pid, unix.SIGKILL))
			r.AwaitStatus(id, "stopped")
		}
		r.Must("kill", id, "KILL")
		for _, pid := range list {
			await(t, "process "+itoa(pid)+" to end", func() bool { return ended(pid) })
		}
		r.AwaitStatus(id, "stopped")
		r.Must("delete", id)
	}
}

func TestListOfNoDirectory(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	r.Root = filepath.Join(t.TempDir(), "none")
	if res := r.Do("list"); underTest.kind == Dhow { // runc 1.1 has nothing against it
		res.Failed("no such file or directory")
	}
}

// Lines that go to a file end as lines in files do, though a terminal is in between.
func TestTerminalOutputToAFile(t *testing.T) {
	t.Parallel()
	res := newCLI(t).Run(newBundle(t, Args("echo", "hello"), terminal))
	if res.Code == 0 && res.Stdout != "hello\n" { // runc wants a terminal of its own
		t.Errorf("got %q", res.Stdout)
	}
}

func TestProcOnASymlink(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	for _, dir := range []string{"proc", "sys"} {
		b := newBundle(t, Args("true"), func(b *Bundle) {
			must(t, unix.Rmdir(filepath.Join(b.Rootfs(), dir)))
			must(t, unix.Symlink("/tmp", filepath.Join(b.Rootfs(), dir)))
		})
		r.Run(b).Failed("must be mounted on ordinary directory")
	}
}

func TestPathMaskedTwice(t *testing.T) {
	t.Parallel()
	b := newBundle(t, Args("grep", "-c", " /tmp/[df] ", "/proc/self/mountinfo"), Dir("tmp/d"), File("tmp/f", "x", 0o644),
		Linux(func(l *specs.Linux) { l.MaskedPaths = []string{"/tmp/d", "/tmp/f", "/tmp/d/", "/tmp/f"} }))
	newCLI(t).Run(b).Printed("2")
}

func TestAmbientCapabilityThatCannotBe(t *testing.T) {
	t.Parallel()
	b := newBundle(t, Args("grep", "CapAmb", "/proc/self/status"), Process(func(p *specs.Process) {
		p.Capabilities.Bounding = []string{"CAP_KILL", "CAP_CHOWN"}
		p.Capabilities.Permitted, p.Capabilities.Effective = p.Capabilities.Bounding, p.Capabilities.Bounding
		p.Capabilities.Inheritable = []string{"CAP_KILL"}
		p.Capabilities.Ambient = []string{"CAP_KILL", "CAP_CHOWN"}
	}))
	res := newCLI(t).Run(b).Printed("CapAmb:\t0000000000000020")
	if !strings.Contains(res.Stderr, "can't raise ambient capability CAP_CHOWN: ") {
		t.Errorf("no warning in %q", res.Stderr)
	}
}

func TestUnknownCapability(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	b := newBundle(t, Args("sleep", "1000"), Process(func(p *specs.Process) { p.Capabilities.Bounding = append(p.Capabilities.Bounding, "CAP_NOSUCH") }))
	id := r.ID()
	created := r.Detached("create", "--bundle", b.Dir, id).Exited(0)
	r.Must("start", id)
	for _, res := range []*result{created, r.Do("exec", "--cap", "CAP_NOSUCH", id, "true").Exited(0)} {
		if !strings.Contains(res.Stderr, "CAP_NOSUCH") {
			t.Errorf("no warning in %q", res.Stderr)
		}
	}
}

// A caller that ignores signals, under nohup(1) or in the background of a shell, does not make containers that do.
func TestIgnoredSignals(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	out := t.TempDir()
	script := `grep SigIgn /proc/self/status > /out/init; sleep 1000`
	b := newBundle(t, Shell(script), Bind(out, "/out"))
	id := r.ID()
	ignoring := func(args ...string) *exec.Cmd {
		cmd := r.Command(args...)
		cmd.Args = append([]string{"sh", "-c", `trap '' HUP INT TSTP TTIN TTOU; exec "$@"`, "sh"}, cmd.Args...)
		cmd.Path = "/bin/sh"
		return cmd
	}
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	must(t, err)
	defer null.Close()
	create := ignoring("create", "--bundle", b.Dir, id)
	create.Stdout, create.Stderr = null, null
	r.DoCommand(create).Exited(0)
	r.Must("start", id)
	await(t, "the container to say what it ignores", func() bool {
		return exists(filepath.Join(out, "init")) && readFile(t, filepath.Join(out, "init")) != ""
	})
	inside := r.DoCommand(ignoring("exec", id, "grep", "SigIgn", "/proc/self/status")).Exited(0)
	for _, got := range []string{readFile(t, filepath.Join(out, "init")), inside.Stdout} {
		_, mask, _ := strings.Cut(strings.TrimSpace(got), "\t")
		// Those of real time, which glibc's posix_spawn leaves ignored, mean nothing.
		if n, err := strconv.ParseUint(mask, 16, 64); err != nil || n&(1<<31-1) != 0 {
			t.Errorf("%q, %v", got, err)
		}
	}
}

func TestExecErrorNamesThePath(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	b := newBundle(t, Args("sleep", "1000"), File("run.sh", "#!/no/such\n", 0o755))
	r.Do("exec", r.Started(b), "/run.sh").Failed("exec /run.sh: no such file or directory")
}

// A bind mount that names attributes has those and no others; one that names none has its source's. What a user
// namespace may not take away stays.
func TestBindAttributes(t *testing.T) {
	t.Parallel()
	source := t.TempDir()
	must(t, unix.Mount("none", source, "tmpfs", unix.MS_RDONLY|unix.MS_NOSUID|unix.MS_NOEXEC|unix.MS_NOATIME, ""))
	t.Cleanup(func() { must(t, unix.Unmount(source, unix.MNT_DETACH)) })
	must(t, unix.Mount("none", source, "", unix.MS_REMOUNT|unix.MS_BIND|unix.MS_RDONLY|unix.MS_NOSUID|unix.MS_NOEXEC, ""))
	r := newCLI(t)
	for _, tt := range []struct {
		name    string
		options []string
		edit    Edit
		want    string
	}{
		{"none", nil, nil, "ro,nosuid,noexec,noatime"},
		{"propagation", []string{"rprivate"}, nil, "ro,nosuid,noexec,noatime"},
		{"dev", []string{"dev"}, nil, "rw,noatime"},
		{"nodev", []string{"nodev", "rw"}, nil, "rw,nodev,noatime"},
		{"user namespace", []string{"nodev"}, MappedUser, "ro,nosuid,nodev,noexec,noatime"},
		{"user namespace, against it", []string{"rw"}, MappedUser, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			edits := []Edit{Args("awk", `$5 == "/mnt" { print $6 }`, "/proc/self/mountinfo"), Bind(source, "/mnt", tt.options...)}
			if tt.edit != nil {
				edits = append(edits, tt.edit)
			}
			r := &cli{t: t, Path: r.Path, Root: r.Root}
			res := r.Run(newBundle(t, edits...))
			if tt.want == "" {
				res.Failed("operation not permitted")
			} else {
				res.Printed(tt.want)
			}
		})
	}
}

func TestTmpfsModeOfAMountPoint(t *testing.T) {
	t.Parallel()
	b := newBundle(t, Args("stat", "-c", "%a", "/tmp/old", "/tmp/new/one"), Dir("tmp/old"),
		Mount("tmpfs", "tmpfs", "/tmp/old"), Mount("tmpfs", "tmpfs", "/tmp/new/one"), func(b *Bundle) {
			must(t, unix.Chmod(filepath.Join(b.Rootfs(), "tmp/old"), 0o710))
		})
	if got := lines(newCLI(t).Run(b).Exited(0).Stdout); strings.Join(got, " ") != "710 1777" {
		t.Errorf("got %v, want 710 1777", got)
	}
}

func TestReadonlyDev(t *testing.T) {
	t.Parallel()
	b := newBundle(t, Shell("head -c 1 /dev/zero | wc -c; touch /dev/x"), NoMount("/dev"), NoMount("/dev/pts"), func(b *Bundle) {
		b.Spec.Mounts = append([]specs.Mount{
			{Destination: "/dev", Type: "tmpfs", Source: "tmpfs", Options: []string{"ro", "nosuid", "mode=755"}},
			{Destination: "/dev/pts", Type: "devpts", Source: "devpts", Options: []string{"newinstance", "ptmxmode=0666"}},
		}, b.Spec.Mounts...)
	})
	res := newCLI(t).Run(b)
	if res.Stdout != "1\n" || !strings.Contains(res.Stderr, "Read-only file system") {
		t.Errorf("got %q, %q", res.Stdout, res.Stderr)
	}
}

// What linux.seccomp forbids, a startContainer hook may not do either.
func TestStartContainerHookUnderSeccomp(t *testing.T) {
	t.Parallel()
	b := newBundle(t, Args("true"), Linux(func(l *specs.Linux) {
		l.Seccomp = &specs.LinuxSeccomp{DefaultAction: specs.ActAllow, Syscalls: []specs.LinuxSyscall{
			{Names: []string{"mkdir", "mkdirat"}, Action: specs.ActKill},
		}}
	}), func(b *Bundle) {
		b.Spec.Hooks = &specs.Hooks{StartContainer: []specs.Hook{{Path: "/bin/mkdir", Args: []string{"mkdir", "/tmp/d"}}}}
	})
	newCLI(t).Run(b).Failed("error running startContainer hook", "bad system call")
}

// Only the container's part is set; the cpuset above it, which another made and left empty, gets what it needs.
func TestCpusetBelowAnEmptyOne(t *testing.T) {
	t.Parallel()
	const top = "/sys/fs/cgroup/cpuset"
	if !exists(top + "/cpuset.cpus") {
		t.Skip("no cgroup v1 cpuset")
	}
	r := newCLI(t)
	id := r.ID()
	above := filepath.Join(top, id+"-above")
	must(t, unix.Mkdir(above, 0o755))
	t.Cleanup(func() { // the runtime has made it in the other hierarchies
		dirs, err := filepath.Glob("/sys/fs/cgroup/*/" + id + "-above")
		must(t, err)
		for _, dir := range dirs {
			must(t, unix.Rmdir(dir))
		}
	})
	b := newBundle(t, Args("grep", "Cpus_allowed_list", "/proc/self/status"), Linux(func(l *specs.Linux) {
		l.CgroupsPath = "/" + id + "-above/container"
	}), Resources(func(l *specs.LinuxResources) { l.CPU = &specs.LinuxCPU{Cpus: "0", Mems: "0"} }))
	r.Must("run", "--bundle", b.Dir, id).Printed("Cpus_allowed_list:\t0")
}

// An image whose /etc/resolv.conf is a link to what is made at run time gets that made, inside its root.
func TestBindOnADanglingLink(t *testing.T) {
	t.Parallel()
	source := filepath.Join(t.TempDir(), "source")
	must(t, os.WriteFile(source, []byte("bound\n"), 0o644))
	b := newBundle(t, Args("cat", "/tmp/foo/bar/baz/hosts"), Bind(source, "/etc/hosts"),
		Symlink("/tmp/foo/bar", "jump"), Symlink("/jump/baz/hosts", "etc/hosts"))
	r := newCLI(t)
	r.Run(b).Printed("bound")
	MappedUser(b)
	must(t, os.RemoveAll(filepath.Join(b.Rootfs(), "tmp/foo")))
	must(t, b.Save())
	r.Run(b).Printed("bound")
}

// A bind whose source lies below the root file system takes what the mounts before it have put there.
func TestBindOfAnEarlierMount(t *testing.T) {
	t.Parallel()
	source := t.TempDir()
	must(t, os.WriteFile(filepath.Join(source, "file"), []byte("bound\n"), 0o644))
	r := newCLI(t)
	for _, edit := range []Edit{func(*Bundle) {}, MappedUser} {
		b := newBundle(t, Args("cat", "/tmp/copy/file"), Bind(source, "/mnt"), func(b *Bundle) {
			Bind(filepath.Join(b.Rootfs(), "mnt"), filepath.Join(b.Rootfs(), "tmp/copy"))(b)
		}, edit)
		r.Run(b).Printed("bound")
	}
}

func TestDeadlineOnSomeCPUs(t *testing.T) {
	t.Parallel()
	b := newBundle(t, Args("true"), Process(func(p *specs.Process) {
		p.Scheduler = &specs.Scheduler{Policy: specs.SchedDeadline, Runtime: 42000, Deadline: 1000000, Period: 1000000}
	}), Resources(func(r *specs.LinuxResources) { r.CPU = &specs.LinuxCPU{Cpus: "0"} }))
	newCLI(t).Run(b).Failed("process scheduler can't be used together with AllowedCPUs")
}
