package integration

import (
	"os"
	"strings"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// config-linux.md, "Default Devices".
func TestDefaultDevices(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	b := newBundle(t, Shell("cd /dev; stat -c '%n %F %t:%T %a' null zero full random urandom tty"))
	r.Run(b).Exited(0).Printed(strings.Join([]string{
		"null character special file 1:3 666", "zero character special file 1:5 666", "full character special file 1:7 666",
		"random character special file 1:8 666", "urandom character special file 1:9 666", "tty character special file 5:0 666",
	}, "\n"))
}

func TestDeviceLinks(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	b := newBundle(t, Shell("cd /dev; for l in fd stdin stdout stderr ptmx; do readlink $l; done"))
	r.Run(b).Exited(0).Printed("/proc/self/fd\n/proc/self/fd/0\n/proc/self/fd/1\n/proc/self/fd/2\npts/ptmx")
}

func TestDefaultDevicesWork(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	b := newBundle(t, Shell("echo x > /dev/null; head -c 3 /dev/zero | wc -c; head -c 5 /dev/urandom | wc -c; echo x > /dev/full"))
	res := r.Run(b).Exited(1).Printed("3\n5")
	if !strings.Contains(res.Stderr, "No space left") {
		t.Errorf("stderr %q", res.Stderr)
	}
}

func TestConfiguredDevices(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	mode, uid, gid := os.FileMode(0o640), uint32(7), uint32(8)
	b := newBundle(t, Shell("stat -c '%n %F %t:%T %a %u:%g' /dev/mine /dev/sub/pipe; head -c 2 /dev/mine | wc -c"), Linux(func(l *specs.Linux) {
		l.Devices = []specs.LinuxDevice{
			{Path: "/dev/mine", Type: "c", Major: 1, Minor: 5, FileMode: &mode, UID: &uid, GID: &gid},
			{Path: "/dev/sub/pipe", Type: "p", FileMode: &mode},
		}
		allow(l.Resources, "c", 1, 5)
	}))
	r.Run(b).Exited(0).Printed("/dev/mine character special file 1:5 640 7:8\n/dev/sub/pipe fifo 0:0 640 0:0\n2")
}

// A config that names /dev/ptmx as a device, as the kernel numbers it, gets what all containers have there.
func TestConfiguredPtmx(t *testing.T) {
	r := newCLI(t)
	for name, edit := range map[string]Edit{"root": func(*Bundle) {}, "user namespace": MappedUser} {
		t.Run(name, func(t *testing.T) {
			b := newBundle(t, edit, Shell("readlink /dev/ptmx; stat -L -c '%F %t:%T' /dev/ptmx"), Linux(func(l *specs.Linux) {
				l.Devices = []specs.LinuxDevice{{Path: "/dev/ptmx", Type: "c", Major: 5, Minor: 2}}
			}))
			r.Run(b).Exited(0).Printed("pts/ptmx\ncharacter special file 5:2")
		})
	}
}

func allow(r *specs.LinuxResources, kind string, major, minor int64) {
	r.Devices = append(r.Devices, specs.LinuxDeviceCgroup{Allow: true, Type: kind, Major: &major, Minor: &minor, Access: "rwm"})
}

// /dev/fuse (10:229) is on no default list, and whoever has a node of it may open it.
func TestDeviceRules(t *testing.T) {
	t.Parallel()
	testDeviceRules(t)
}

func testDeviceRules(t *testing.T) {
	r := newCLI(t)
	script := Shell("mknod /tmp/fuse c 10 229 && (: < /tmp/fuse); echo $?")
	for name, c := range map[string]struct {
		edit Edit
		want string
	}{
		"denied":  {func(*Bundle) {}, "1"},
		"allowed": {Resources(func(r *specs.LinuxResources) { allow(r, "c", 10, 229) }), "0"},
		"wildcard": {Resources(func(r *specs.LinuxResources) {
			r.Devices = append(r.Devices, specs.LinuxDeviceCgroup{Allow: true, Access: "rwm"})
		}), "0"},
		"not for reading": {Resources(func(r *specs.LinuxResources) {
			allow(r, "c", 10, 229)
			r.Devices[len(r.Devices)-1].Access = "w"
		}), "1"},
	} {
		res := r.Run(newBundle(t, script, c.edit)).Exited(0)
		if got := strings.TrimSpace(res.Stdout); got != c.want {
			t.Errorf("%s: opening /dev/fuse gives %s, want %s: %s", name, got, c.want, res.Stderr)
		}
	}
}

// Without mknod in a user namespace the nodes are binds of the host's.
func TestDevicesInAUserNamespace(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	b := newBundle(t, Shell("stat -c '%F %t:%T' /dev/null /dev/tty; echo x > /dev/null && echo fine"), MappedUser)
	r.Run(b).Exited(0).Printed("character special file 1:3\ncharacter special file 5:0\nfine")
}

func TestMaskedPaths(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	b := newBundle(t, Shell("cat /proc/timer_list | wc -c; cat /etc/secret | wc -c; ls /etc/secrets | wc -l; touch /etc/secrets/x"),
		File("etc/secret", "password", 0o600), File("etc/secrets/key", "key", 0o600), Linux(func(l *specs.Linux) {
			l.MaskedPaths = append(l.MaskedPaths, "/etc/secret", "/etc/secrets", "/etc/absent")
		}))
	res := r.Run(b).Exited(1).Printed("0\n0\n0")
	if !strings.Contains(res.Stderr, "Read-only file system") {
		t.Errorf("a masked directory can be written: %q", res.Stderr)
	}
}

func TestReadonlyPaths(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	b := newBundle(t, Shell("cat /etc/kept; touch /etc/kept; echo $?; echo 1 > /proc/sys/net/ipv4/ip_forward; echo $?"),
		File("etc/kept", "text\n", 0o644), Linux(func(l *specs.Linux) {
			l.ReadonlyPaths = append(l.ReadonlyPaths, "/etc", "/absent")
		}))
	r.Run(b).Exited(0).Printed("text\n1\n1")
}

// The mounts below a read-only path keep their own options.
func TestReadonlyPathKeepsOptions(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	b := newBundle(t, probe("dump"), Mount("tmpfs", "tmpfs", "/mnt", "nosuid", "noexec", "nodev"), Linux(func(l *specs.Linux) {
		l.ReadonlyPaths = append(l.ReadonlyPaths, "/mnt")
	}))
	m := r.Run(b).Facts().MountAt("/mnt")
	for _, option := range []string{"ro", "nosuid", "noexec", "nodev"} {
		if !strings.Contains(strings.Join(m.Options, ",")+",", option+",") {
			t.Errorf("%v lacks %s", m.Options, option)
		}
	}
}

func TestPtsNodesAreTheContainersOwn(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	r.Run(newBundle(t, Shell("ls /dev/pts"))).Exited(0).Printed("ptmx")
}
