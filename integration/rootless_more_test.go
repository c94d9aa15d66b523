package integration

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/creack/pty"
	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// What the host has mounted nosuid, nodev, noexec or read-only stays so for a user: a bind keeps these attributes
// without being asked to, and cannot be asked to drop them.
func TestRootlessLockedFlags(t *testing.T) {
	r := newUserCLI(t)
	source := t.TempDir()
	reachable(source)
	must(t, unix.Mount("tmpfs", source, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC|unix.MS_NOATIME, "mode=755"))
	t.Cleanup(func() { must(t, unix.Unmount(source, unix.MNT_DETACH)) })
	f := r.Run(newBundle(t, Rootless, probe("dump"), Bind(source, "/data", "ro"), Bind(source, "/as-it-is"))).Facts()
	for point, want := range map[string][]string{
		"/data":     {"ro", "nosuid", "nodev", "noexec", "noatime"},
		"/as-it-is": {"rw", "nosuid", "nodev", "noexec", "noatime"},
	} {
		m := f.MountAt(point)
		for _, option := range want {
			if m == nil || !slices.Contains(m.Options, option) {
				t.Errorf("%s: %+v lacks %s", point, m, option)
			}
		}
	}
	for _, option := range []string{"exec", "suid", "dev", "strictatime"} {
		r.Run(newBundle(t, Rootless, Bind(source, "/data", option))).Failed("not permitted")
	}
	must(t, unix.Mount("", source, "", unix.MS_REMOUNT|unix.MS_BIND|unix.MS_RDONLY, ""))
	r.Run(newBundle(t, Rootless, Bind(source, "/data", "rw"))).Failed("not permitted")
	r.Run(newBundle(t, Rootless, Bind(source, "/data", "ro", "nosuid"))).Exited(0)
}

// A bind of a file, of a directory that only the user may enter, and one relative to the bundle.
func TestRootlessBinds(t *testing.T) {
	r := newUserCLI(t)
	own := t.TempDir()
	reachable(filepath.Dir(own))
	must(t, os.WriteFile(filepath.Join(own, "file"), []byte("private"), 0o600))
	must(t, os.Lchown(filepath.Join(own, "file"), userID, userID))
	must(t, os.Chown(own, userID, userID))
	must(t, os.Chmod(own, 0o700))
	b := newBundle(t, Rootless, Bind(own, "/dir"), Bind(filepath.Join(own, "file"), "/etc/file"), Bind("rootfs/etc", "/again"),
		Shell("cat /dir/file /etc/file; cat /again/passwd | wc -l"))
	r.Run(b).Exited(0).Printed("privateprivate2")
	r.Run(newBundle(t, Rootless, Bind("/root/nothing", "/x"))).Failed("/root/nothing")
	must(t, os.Chown(own, 0, 0))
	r.Run(newBundle(t, Rootless, Bind(filepath.Join(own, "file"), "/x"))).Failed("ermission denied")
}

// sysfs needs a network namespace of the container's own; with one it can be mounted.
func TestRootlessNetwork(t *testing.T) {
	r := newUserCLI(t)
	b := newBundle(t, Rootless, Namespace(specs.NetworkNamespace, ""), NoMount("/sys"), Mount("sysfs", "sysfs", "/sys", "ro"),
		Shell("ls /sys/class/net; cat /sys/class/net/lo/flags"))
	r.Run(b).Exited(0).Printed("lo\n0x9")
	r.Run(newBundle(t, Rootless, NoMount("/sys"), Mount("sysfs", "sysfs", "/sys", "ro"))).Failed("sys")
}

// Namespaces of another container of the same user can be joined, as in a pod.
func TestRootlessJoins(t *testing.T) {
	r := newUserCLI(t)
	id := r.Started(newBundle(t, Rootless, Namespace(specs.NetworkNamespace, ""), Args("sleep", "1000")))
	ns := "/proc/" + itoa(r.State(id).Pid) + "/ns/"
	b := newBundle(t, Rootless, probe("dump"), Namespace(specs.UserNamespace, ns+"user"), Namespace(specs.NetworkNamespace, ns+"net"),
		Namespace(specs.IPCNamespace, ns+"ipc"))
	b.Spec.Linux.UIDMappings, b.Spec.Linux.GIDMappings = nil, nil
	must(t, b.Save())
	f := r.Run(b).Facts()
	for _, kind := range []string{"user", "net", "ipc"} {
		if want, err := os.Readlink(ns + kind); err != nil || f.Namespaces[kind] != want {
			t.Errorf("%s namespace %s, want %s (%v)", kind, f.Namespaces[kind], want, err)
		}
	}
}

func TestRootlessTerminal(t *testing.T) {
	r := newUserCLI(t)
	b := newBundle(t, Rootless, Shell("tty; echo through > /dev/console; stat -c %u $(tty)"), terminal)
	out := newWatcher("")
	_, wait := onPty(t, r, out, pty.Winsize{Rows: 20, Cols: 70}, "run", "--bundle", b.Dir, r.ID())
	if code := wait(); code != 0 || !strings.Contains(out.String(), "/dev/pts/0") || !strings.Contains(out.String(), "through") {
		t.Errorf("exit %d, printed %q", code, out.String())
	}
	path, receive := consoleSocket(t)
	must(t, os.Chmod(filepath.Dir(path), 0o755))
	must(t, os.Chmod(path, 0o666))
	b = newBundle(t, Rootless, Shell("read x; echo got $x"), terminal)
	r.Detached("run", "--detach", "--console-socket", path, "--bundle", b.Dir, r.ID()).Exited(0)
	master := receive()
	out = newWatcher("got word")
	go out.drain(master)
	_, err := master.WriteString("word\n")
	must(t, err)
	out.await(t)
}

func TestRootlessPreservedFDsAndPidfd(t *testing.T) {
	r := newUserCLI(t)
	cmd := r.Command("run", "--preserve-fds", "1", "--bundle", newBundle(t, Rootless, probe("dump")).Dir, r.ID())
	cmd.ExtraFiles = someFiles(t, 2)
	if f := r.DoCommand(cmd).Facts(); len(f.FDs) != 4 {
		t.Errorf("descriptors inside: %v", f.FDs)
	}
	id := r.Started(newBundle(t, Rootless, Args("sleep", "1000")))
	path, receive := consoleSocket(t)
	must(t, os.Chmod(filepath.Dir(path), 0o755))
	must(t, os.Chmod(path, 0o666))
	pidFile := filepath.Join(r.Root, "pid")
	r.Detached("exec", "--detach", "--pid-file", pidFile, "--pidfd-socket", path, id, "sleep", "1000").Exited(0)
	pidfd := receive()
	must(t, unix.PidfdSendSignal(int(pidfd.Fd()), unix.SIGKILL, nil, 0))
	number, err := strconv.Atoi(readFile(t, pidFile))
	must(t, err)
	must(t, os.Remove(pidFile))
	await(t, "the process to end", func() bool { return ended(number) })
}

// Without --root, state is kept where the user's own files of this session are, and is not tidied up there.
func TestRootlessDefaultRoot(t *testing.T) {
	r := newUserCLI(t)
	b := newBundle(t, Rootless, Args("sleep", "1000"))
	id := "dhowtest-" + itoa(os.Getpid()) + "-root"
	call := func(env string, args ...string) *exec.Cmd {
		cmd := exec.Command(r.Path, args...)
		cmd.Env = append(slices.Clone(r.Env), env)
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: r.User}
		return cmd
	}
	xdg := "XDG_RUNTIME_DIR=" + r.Root
	must(t, call(xdg, "create", "--bundle", b.Dir, id).Run()) // the container keeps its streams
	name := map[Kind]string{Dhow: "dhow"}[underTest.kind]
	if name == "" {
		name = "runc"
	}
	if info, err := os.Stat(filepath.Join(r.Root, name)); err != nil || info.Mode() != os.ModeDir|os.ModeSticky|0o700 {
		t.Errorf("the state directory: %v, %v", info, err)
	}
	if out, err := call(xdg, "delete", "--force", id).CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
	must(t, os.RemoveAll(filepath.Join(r.Root, name)))
	if underTest.kind != Dhow {
		return
	}
	must(t, os.MkdirAll("/tmp/dhow-"+itoa(userID), 0o777))
	defer os.RemoveAll("/tmp/dhow-" + itoa(userID))
	if out, err := call("X=", "state", id).CombinedOutput(); err == nil || !strings.Contains(string(out), "others than user 54321 may write to it") {
		t.Errorf("with somebody else's directory: %v: %s", err, out)
	}
}

// A tmpfs takes over what it covers: files of the user's own, and those of the container's other users.
func TestRootlessCopyUp(t *testing.T) {
	onlyDhow(t, "does this in another way")
	r := newUserCLI(t)
	b := newBundle(t, File("data/sub/file", "content", 0o640), Rootless, Mount("tmpfs", "tmpfs", "/data", "tmpcopyup"),
		Shell("cat /data/sub/file; stat -c %u:%g:%a /data/sub/file; echo more > /data/new; ls /data"))
	r.Run(b).Exited(0).Printed("content0:0:640\nnew\nsub")
	needMappers(t)
	b = newBundle(t, File("data/sub/file", "content", 0o600), File("data/sub/mine", "mine", 0o755), Subordinate,
		Mount("tmpfs", "tmpfs", "/data", "tmpcopyup"),
		Shell("cat /data/sub/file /data/sub/mine; stat -c %u:%g:%a /data/sub/file /data/sub/mine /data/sub /data"))
	file := filepath.Join(b.Rootfs(), "data/sub/file")
	must(t, os.Chmod(filepath.Join(filepath.Dir(file), "mine"), 0o755|os.ModeSetuid))
	must(t, os.Lchown(file, firstSub+9, firstSub+11))
	must(t, os.Lchown(filepath.Dir(file), firstSub+4, userID))
	must(t, os.Chmod(filepath.Dir(file), 0o750))
	r.Run(b).Exited(0).Printed("contentmine10:12:600\n0:0:4755\n5:0:750\n0:0:755")
	must(t, os.Lchown(file, 7, 7)) // nobody in the container: its root may not even read it
	r.Run(b).Failed("cannot copy up (tmpcopyup): sub: file: ", "permission denied")
}

// hostPIDs has a container see the host's processes: a new procfs would need power over their pid namespace.
var hostPIDs = both(NoNamespace(specs.PIDNamespace), NoMount("/proc"), Bind("/proc", "/proc", "rbind"),
	Linux(func(l *specs.Linux) { l.MaskedPaths, l.ReadonlyPaths = nil, nil }))

// Who is in a user namespace writes to the host's procfs where there is no pid namespace to mount one of.
func TestHostPIDsOfAUserNamespace(t *testing.T) {
	settings := both(Namespace(specs.TimeNamespace, ""), Linux(func(l *specs.Linux) {
		l.TimeOffsets = map[string]specs.LinuxTimeOffset{"boottime": {Secs: 1 << 30}}
		l.Sysctl = map[string]string{"net.ipv4.ip_forward": "1"}
	}))
	look := Shell("cut -c1-5 /proc/uptime; cat /proc/sys/net/ipv4/ip_forward")
	t.Run("root", func(t *testing.T) {
		res := newCLI(t).Run(newBundle(t, MappedUser, hostPIDs, settings, look)).Exited(0)
		checkHostPIDs(t, res)
	})
	t.Run("rootless", func(t *testing.T) {
		res := newUserCLI(t).Run(newBundle(t, Rootless, hostPIDs, settings, Namespace(specs.NetworkNamespace, ""), look)).Exited(0)
		checkHostPIDs(t, res)
	})
}

func checkHostPIDs(t *testing.T, res *result) {
	t.Helper()
	if got := lines(res.Stdout); len(got) != 2 || !strings.HasPrefix(got[0], "1073") || got[1] != "1" {
		t.Errorf("uptime and ip_forward: %q", res.Stdout)
	}
}

// Without a control group the processes of the container's pid namespace get the signal.
func TestRootlessKillAll(t *testing.T) {
	r := newUserCLI(t)
	id := r.Started(newBundle(t, Rootless, Shell("sleep 1000 & wait"))) // the first process ignores SIGTERM, as an init does
	await(t, "both processes", func() bool { return strings.Contains(r.Must("ps", id).Stdout, "sleep 1000\n") })
	r.Must("kill", id, "TERM")
	r.Must("kill", "--all", id, "TERM")
	r.AwaitStatus(id, "stopped")
}
