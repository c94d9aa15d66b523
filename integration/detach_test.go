package integration

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

func TestDetach(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	id, pidFile := r.ID(), filepath.Join(t.TempDir(), "pid")
	b := newBundle(t, Args("sleep", "1000"))
	r.Detached("run", "--detach", "--pid-file", pidFile, "--bundle", b.Dir, id).Exited(0)
	s := r.State(id)
	if s.Status != "running" || readFile(t, pidFile) != itoa(s.Pid) {
		t.Errorf("state %+v, pid file %q", s, readFile(t, pidFile))
	}
	if ppid := parentOf(t, s.Pid); ppid == os.Getpid() {
		t.Errorf("the container's init is still a child of the caller")
	}
}

func TestCreateWritesThePidFile(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	id, pidFile := r.ID(), filepath.Join(t.TempDir(), "pid")
	r.Detached("create", "--pid-file", pidFile, "--bundle", newBundle(t).Dir, id).Exited(0)
	if got := readFile(t, pidFile); got != itoa(r.State(id).Pid) {
		t.Errorf("pid file holds %q, state %+v", got, r.State(id))
	}
}

func parentOf(t *testing.T, pid int) int {
	t.Helper()
	for _, line := range lines(readFile(t, "/proc/"+itoa(pid)+"/status")) {
		if value, ok := strings.CutPrefix(line, "PPid:"); ok {
			ppid, err := strconv.Atoi(strings.TrimSpace(value))
			must(t, err)
			return ppid
		}
	}
	t.Fatalf("no PPid of %d", pid)
	return 0
}

func TestOnlyStdioIsInherited(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	cmd := r.Command("run", "--bundle", newBundle(t, probe("dump")).Dir, r.ID())
	cmd.ExtraFiles = someFiles(t, 3)
	f := r.DoCommand(cmd).Facts()
	for fd, target := range f.FDs {
		if fd > 2 {
			t.Errorf("descriptor %d leaked: %s", fd, target)
		}
	}
}

// The shell's own listing: the probe filters what its Go runtime opens, busybox opens nothing.
func TestNoDescriptorLeaksToAnyProgram(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	cmd := r.Command("run", "--bundle", newBundle(t, Args("ls", "/proc/self/fd")).Dir, r.ID())
	cmd.ExtraFiles = someFiles(t, 5)
	r.DoCommand(cmd).Exited(0).Printed("0\n1\n2\n3") // 3 is the directory being listed
}

func TestPreserveFDs(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	files := someFiles(t, 3)
	cmd := r.Command("run", "--preserve-fds", "2", "--bundle", newBundle(t, probe("dump")).Dir, r.ID())
	cmd.ExtraFiles = files
	f := r.DoCommand(cmd).Facts()
	if len(f.FDs) != 5 || !strings.HasSuffix(f.FDs[3], "/0") || !strings.HasSuffix(f.FDs[4], "/1") {
		t.Errorf("descriptors inside: %v", f.FDs)
	}
}

func TestPreserveFDsAcrossCreateAndStart(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	out, err := os.Create(filepath.Join(t.TempDir(), "out"))
	must(t, err)
	defer out.Close()
	id := r.ID()
	cmd := r.Command("create", "--preserve-fds", "1", "--bundle", newBundle(t, Shell("echo kept >&3")).Dir, id)
	cmd.ExtraFiles = []*os.File{out}
	r.DoCommand(cmd).Exited(0)
	r.Must("start", id)
	await(t, "the output", func() bool { return readFile(t, out.Name()) == "kept" })
}

// someFiles opens n files, named by their number.
func someFiles(t *testing.T, n int) []*os.File {
	t.Helper()
	var files []*os.File
	dir := t.TempDir()
	for i := range n {
		f, err := os.Create(filepath.Join(dir, itoa(i)))
		must(t, err)
		t.Cleanup(func() { _ = f.Close() })
		files = append(files, f)
	}
	return files
}

// Between create and start the init holds nothing of the host: stdio, what it is to preserve, its own root and sockets.
func TestWaitingInitHoldsNothing(t *testing.T) {
	onlyDhow(t, "its init waits as a process of the host's binary")
	t.Parallel()
	hooks := func(b *Bundle) {
		b.Spec.Hooks = &specs.Hooks{CreateContainer: []specs.Hook{{Path: "/bin/true"}}, StartContainer: []specs.Hook{{Path: "/bin/true"}}}
	}
	for name, c := range map[string]struct {
		edit     Edit
		preserve int
	}{
		"default":        {edit: func(*Bundle) {}},
		"preserved":      {edit: func(*Bundle) {}, preserve: 3},
		"user namespace": {edit: MappedUser},
		"masks":          {edit: both(withSysctl, File("etc/secret", "x", 0o600), Linux(func(l *specs.Linux) { l.MaskedPaths = append(l.MaskedPaths, "/etc/secret", "/root") }))},
		"binds":          {edit: both(Bind("/etc", "/mnt/etc"), Bind("/dev", "/mnt/dev"), Mount("tmpfs", "", "/mnt/dev", "remount", "ro"), Mount("tmpfs", "tmpfs", "/var", "tmpcopyup"))},
		"hooks":          {edit: hooks, preserve: 1},
		"cgroups":        {edit: both(Namespace(specs.CgroupNamespace, ""), Mount("cgroup", "cgroup", "/sys/fs/cgroup", "ro"))},
		"joined network": {edit: Namespace(specs.NetworkNamespace, "/proc/self/ns/net")},
		"no mounts": {edit: func(b *Bundle) {
			NoNamespace(specs.MountNamespace)(b)
			b.Spec.Mounts, b.Spec.Linux.MaskedPaths, b.Spec.Linux.ReadonlyPaths = nil, nil, nil
		}},
	} {
		t.Run(name, func(t *testing.T) {
			r := newCLI(t)
			id := r.ID()
			cmd := r.Command("create", "--preserve-fds", itoa(c.preserve), "--bundle", newBundle(t, c.edit).Dir, id)
			cmd.ExtraFiles = someFiles(t, c.preserve+2)
			null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
			must(t, err)
			defer null.Close()
			log, err := os.Create(filepath.Join(t.TempDir(), "log"))
			must(t, err)
			defer log.Close()
			cmd.Stdin, cmd.Stdout, cmd.Stderr = null, null, log
			if res := r.DoCommand(cmd); res.Code != 0 {
				t.Fatal(readFile(t, log.Name()))
			}
			want := []string{os.DevNull, os.DevNull, log.Name()}
			for i := range c.preserve {
				want = append(want, cmd.ExtraFiles[i].Name())
			}
			checkWaiting(t, r.State(id).Pid, want)
		})
	}
}

// checkWaiting wants a process to have the files of want as its first descriptors, and besides two or three sockets and
// its own root directory alone.
func checkWaiting(t *testing.T, pid int, want []string) {
	t.Helper()
	proc := "/proc/" + itoa(pid)
	entries, err := os.ReadDir(proc + "/fd")
	must(t, err)
	sockets, roots := 0, 0
	for _, e := range entries {
		fd, err := strconv.Atoi(e.Name())
		must(t, err)
		link := proc + "/fd/" + e.Name()
		target, err := os.Readlink(link)
		must(t, err)
		switch {
		case fd < len(want):
			if target != want[fd] {
				t.Errorf("descriptor %d is %s, want %s", fd, target, want[fd])
			}
		case strings.HasPrefix(target, "socket:["):
			sockets++
		case sameDirectory(t, link, proc+"/root") && mountOf(t, proc+"/fdinfo/"+e.Name()) == rootMount(t, pid):
			roots++
		default:
			t.Errorf("descriptor %d is %s", fd, target)
		}
	}
	if sockets < 1 || sockets > 3 || roots != 1 || len(entries) != len(want)+sockets+roots {
		t.Errorf("%d descriptors: %d sockets, %d times the root, and %v", len(entries), sockets, roots, want)
	}
}

func sameDirectory(t *testing.T, a, b string) bool {
	t.Helper()
	x, err := os.Stat(a)
	must(t, err)
	y, err := os.Stat(b)
	must(t, err)
	return x.IsDir() && os.SameFile(x, y)
}

// mountOf is the id of the mount that a descriptor is on (proc_pid_fdinfo(5)).
func mountOf(t *testing.T, fdinfo string) string {
	t.Helper()
	_, rest, _ := strings.Cut(readFile(t, fdinfo), "mnt_id:")
	return strings.Fields(rest)[0]
}

// rootMount is the id of the mount that a process's root directory is on.
func rootMount(t *testing.T, pid int) string {
	t.Helper()
	fd, err := unix.Open("/proc/"+itoa(pid)+"/root", unix.O_PATH|unix.O_CLOEXEC, 0)
	must(t, err)
	defer unix.Close(fd)
	return mountOf(t, "/proc/self/fdinfo/"+itoa(fd))
}

// awaitPidfd receives what --pidfd-socket is sent, and says whose it is.
func awaitPidfd(t *testing.T, receive func() *os.File) string {
	t.Helper()
	f := receive()
	defer f.Close()
	_, text, _ := strings.Cut(readFile(t, "/proc/self/fdinfo/"+itoa(int(f.Fd()))), "Pid:")
	return strings.Fields(text)[0]
}

func TestPidfdSocket(t *testing.T) {
	onlyDhow(t, "1.1 has no --pidfd-socket")
	t.Parallel()
	r := newCLI(t)
	for _, args := range [][]string{{"create"}, {"run", "--detach"}} {
		socket, receive := consoleSocket(t)
		id := r.ID()
		r.Detached(append(args, "--pidfd-socket", socket, "--bundle", newBundle(t, Args("sleep", "1000")).Dir, id)...).Exited(0)
		if got := awaitPidfd(t, receive); got != itoa(r.State(id).Pid) {
			t.Errorf("%v: the pidfd is of process %s, not %d", args, got, r.State(id).Pid)
		}
	}
	r.Do("run", "--pidfd-socket", "/no/such/socket", "--bundle", newBundle(t, Args("true")).Dir, r.ID()).Failed("pidfd")
}
