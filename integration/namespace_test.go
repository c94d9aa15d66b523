package integration

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/integration/facts"
)

// ownNamespaces are those of the test process; the mount namespace is the stage's.
func ownNamespaces(t *testing.T) map[string]string {
	t.Helper()
	f, err := facts.Collect()
	must(t, err)
	return f.Namespaces
}

func TestNewNamespaces(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	b := newBundle(t, probe("dump"), Namespace(specs.CgroupNamespace, ""), MappedUser)
	f := r.Run(b).Facts()
	own := ownNamespaces(t)
	for _, kind := range []string{"pid", "net", "mnt", "ipc", "uts", "cgroup", "user"} {
		if f.Namespaces[kind] == own[kind] {
			t.Errorf("%s namespace is the host's", kind)
		}
	}
	if f.Pid != 1 {
		t.Errorf("pid %d in a new pid namespace", f.Pid)
	}
}

func TestNamespacesNotAskedForAreTheCallers(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	b := newBundle(t, probe("dump"), func(b *Bundle) {
		b.Spec.Linux.Namespaces = []specs.LinuxNamespace{{Type: specs.MountNamespace}}
		b.Spec.Hostname = ""
	}, NoMount("/dev/mqueue"))
	f := r.Run(b).Facts()
	own := ownNamespaces(t)
	for _, kind := range []string{"pid", "net", "ipc", "uts", "cgroup", "user", "time"} {
		if f.Namespaces[kind] != own[kind] {
			t.Errorf("%s namespace is %s, the caller's is %s", kind, f.Namespaces[kind], own[kind])
		}
	}
}

func TestTimeNamespace(t *testing.T) {
	onlyDhow(t, "1.1 knows no time namespaces")
	for name, edit := range map[string]Edit{"alone": func(*Bundle) {}, "with a user namespace": MappedUser} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newCLI(t)
			b := newBundle(t, probe("clocks"), edit, Namespace(specs.TimeNamespace, ""), Linux(func(l *specs.Linux) {
				l.TimeOffsets = map[string]specs.LinuxTimeOffset{"boottime": {Secs: 1_000_000}, "monotonic": {Secs: 2_000_000}}
			}))
			out := lines(r.Run(b).Exited(0).Stdout)
			if len(out) != 2 || len(out[0]) < 7 || out[0][0] != '1' || out[1][0] != '2' {
				t.Errorf("boot and monotonic clock: %v", out)
			}
		})
	}
}

// namespaceHolder is a process that lives in new namespaces until the test ends.
func namespaceHolder(t *testing.T, flags ...string) int {
	t.Helper()
	cmd := exec.Command("unshare", append(flags, "sleep", "1000")...)
	must(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // killed: always an error
	})
	pid := cmd.Process.Pid
	await(t, "unshare to exec", func() bool {
		name, err := os.ReadFile("/proc/" + itoa(pid) + "/comm")
		return err == nil && strings.TrimSpace(string(name)) == "sleep"
	})
	return pid
}

func TestJoinedNamespaces(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	holder := namespaceHolder(t, "--net", "--ipc", "--uts", "--cgroup")
	for _, n := range []struct {
		kind specs.LinuxNamespaceType
		file string
	}{
		{specs.NetworkNamespace, "net"}, {specs.IPCNamespace, "ipc"}, {specs.UTSNamespace, "uts"}, {specs.CgroupNamespace, "cgroup"},
	} {
		path := "/proc/" + itoa(holder) + "/ns/" + n.file
		want, err := os.Readlink(path)
		must(t, err)
		b := newBundle(t, probe("dump"), Namespace(n.kind, path), func(b *Bundle) { b.Spec.Hostname = "" })
		if got := r.Run(b).Facts().Namespaces[n.file]; got != want {
			t.Errorf("joined %s namespace: %s, want %s", n.file, got, want)
		}
	}
}

func TestJoinedPidNamespace(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	first := r.Started(newBundle(t, Args("sleep", "1000")))
	pid := r.State(first).Pid
	b := newBundle(t, probe("dump"), Namespace(specs.PIDNamespace, "/proc/"+itoa(pid)+"/ns/pid"))
	f := r.Run(b).Facts()
	want, err := os.Readlink("/proc/" + itoa(pid) + "/ns/pid")
	must(t, err)
	if f.Namespaces["pid"] != want || f.Pid == 1 {
		t.Errorf("pid %d in %s, want %s", f.Pid, f.Namespaces["pid"], want)
	}
}

func TestJoinedUserNamespace(t *testing.T) {
	onlyDhow(t, "1.1 wants the mappings repeated")
	t.Parallel()
	r := newCLI(t)
	first := r.Started(newBundle(t, Args("sleep", "1000"), MappedUser))
	path := "/proc/" + itoa(r.State(first).Pid) + "/ns/user"
	want, err := os.Readlink(path)
	must(t, err)
	b := newBundle(t, probe("dump"), MappedUser, func(b *Bundle) {
		Namespace(specs.UserNamespace, path)(b)
		b.Spec.Linux.UIDMappings, b.Spec.Linux.GIDMappings = nil, nil
	})
	f := r.Run(b).Facts()
	if f.Namespaces["user"] != want || f.UID != 0 {
		t.Errorf("user namespace %s uid %d, want %s uid 0", f.Namespaces["user"], f.UID, want)
	}
}

// A joined mount namespace has its own mounts: the root is changed inside it.
func TestJoinedMountNamespace(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	holder := namespaceHolder(t, "--mount")
	path := "/proc/" + itoa(holder) + "/ns/mnt"
	b := newBundle(t, probe("dump"), Namespace(specs.MountNamespace, path), func(b *Bundle) {
		b.Spec.Mounts = nil
		b.Spec.Linux.MaskedPaths, b.Spec.Linux.ReadonlyPaths = nil, nil
	}, Mount("proc", "proc", "/proc"))
	want, err := os.Readlink(path)
	must(t, err)
	if got := r.Run(b).Facts().Namespaces["mnt"]; got != want {
		t.Errorf("mount namespace %s, want %s", got, want)
	}
}

// A pinned namespace outlives its processes: the path is a bind mount of the nsfs file.
func TestNamespacePinnedByAFile(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	holder := namespaceHolder(t, "--net")
	pin := filepath.Join(t.TempDir(), "net")
	must(t, os.WriteFile(pin, nil, 0o644))
	must(t, unix.Mount("/proc/"+itoa(holder)+"/ns/net", pin, "", unix.MS_BIND, ""))
	defer func() { must(t, unix.Unmount(pin, unix.MNT_DETACH)) }()
	want, err := os.Readlink("/proc/" + itoa(holder) + "/ns/net")
	must(t, err)
	b := newBundle(t, probe("dump"), Namespace(specs.NetworkNamespace, pin))
	if got := r.Run(b).Facts().Namespaces["net"]; got != want {
		t.Errorf("net namespace %s, want %s", got, want)
	}
}

func TestLoopbackIsUpInANewNetwork(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	r.Run(newBundle(t, Shell("ip -o addr show lo | grep -c 127.0.0.1"))).Exited(0).Printed("1")
}

func TestUserNamespaceMappings(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	b := newBundle(t, Shell("cat /proc/self/uid_map; id -u; touch /tmp/made"), MappedUser)
	res := r.Run(b).Exited(0)
	if got := strings.Fields(res.Stdout); strings.Join(got, " ") != "0 100000 65536 0" {
		t.Errorf("map and uid: %v", got)
	}
	var st unix.Stat_t
	must(t, unix.Stat(b.Rootfs()+"/tmp/made", &st))
	if st.Uid != 100000 {
		t.Errorf("root inside is %d outside, want 100000", st.Uid)
	}
}

func TestUserNamespaceWithManyMappings(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	b := newBundle(t, Shell("wc -l < /proc/self/uid_map"), MappedUser, Linux(func(l *specs.Linux) {
		l.UIDMappings = nil
		for i := range uint32(20) {
			l.UIDMappings = append(l.UIDMappings, specs.LinuxIDMapping{ContainerID: i * 10, HostID: 100000 + i*10, Size: 5})
		}
	}))
	r.Run(b).Exited(0).Printed("20")
}

func TestHostnameAndDomainname(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	b := newBundle(t, probe("dump"), func(b *Bundle) { b.Spec.Hostname = "ship"; b.Spec.Domainname = "sea.example" })
	f := r.Run(b).Facts()
	if f.Hostname != "ship" {
		t.Errorf("hostname %q", f.Hostname)
	}
	if underTest.kind != Runc && f.Domainname != "sea.example" { // 1.1 knows no domainname
		t.Errorf("domainname %q", f.Domainname)
	}
}

func TestSysctl(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	b := newBundle(t, Shell("cat /proc/sys/net/ipv4/ip_forward /proc/sys/kernel/shm_rmid_forced /proc/sys/fs/mqueue/msg_max"),
		Linux(func(l *specs.Linux) {
			l.Sysctl = map[string]string{"net.ipv4.ip_forward": "1", "kernel.shm_rmid_forced": "1", "fs.mqueue.msg_max": "20"}
		}))
	r.Run(b).Exited(0).Printed("1\n1\n20")
}

// sysctl(8) has two spellings for an interface with a dot in its name; both mean the same file.
func TestSysctlOfAnInterfaceWithADot(t *testing.T) {
	onlyDhow(t, "1.1 refuses or misreads one of the spellings")
	t.Parallel()
	r := newCLI(t)
	holder := namespaceHolder(t, "--net")
	rename := exec.Command("nsenter", "--net=/proc/"+itoa(holder)+"/ns/net", Busybox, "ip", "link", "set", "dev", "lo", "name", "lo.x")
	if out, err := rename.CombinedOutput(); err != nil {
		skip(t, "needs a loopback device that can be renamed: "+string(out))
	}
	b := newBundle(t, Shell("cd /proc/sys/net/ipv4/conf/lo.x && cat forwarding log_martians arp_ignore"), Namespace(specs.NetworkNamespace, "/proc/"+itoa(holder)+"/ns/net"),
		Linux(func(l *specs.Linux) {
			l.Sysctl = map[string]string{"net/ipv4/conf/lo.x/forwarding": "1", "net.ipv4.conf.lo/x.log_martians": "1", "net.ipv4.conf.lo/x.arp_ignore": "2"}
		}))
	r.Run(b).Exited(0).Printed("1\n1\n2")
	for _, name := range []string{"net/ipv4.conf.all.forwarding", "net.ipv4/conf/all/forwarding"} { // no such files: not guessed at
		b := newBundle(t, Linux(func(l *specs.Linux) { l.Sysctl = map[string]string{name: "1"} }))
		r.Run(b).Failed(name)
	}
}
