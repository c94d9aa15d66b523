package integration

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/creack/pty"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// DESIGN rule 3: what stands at /dev in the root file system is not to be trusted. These bundles have no
// tmpfs on /dev, so that the runtime meets the image's own files.

func ownDev(b *Bundle) {
	for _, dest := range []string{"/dev", "/dev/pts", "/dev/shm", "/dev/mqueue"} {
		NoMount(dest)(b)
	}
}

func TestAttackDevNullIsALink(t *testing.T) {
	knownHole(t, "CVE-2025-31133")
	t.Parallel()
	r := newCLI(t)
	host, check := untouched(t)
	for _, target := range []string{host + "/file", host + "/new", "/etc/passwd"} {
		b := newBundle(t, ownDev, Symlink(target, "dev/null"), Shell("echo clobbered > /dev/null; head -c 500 /proc/timer_list /proc/keys"))
		res := r.Run(b)
		check()
		if res.Code == 0 && strings.Contains(res.Stdout, "root:") {
			t.Errorf("masking with a false /dev/null shows the container's file: %q", clip(res.Stdout))
		}
		if got := readFile(t, filepath.Join(b.Rootfs(), "etc/passwd")); !strings.HasPrefix(got, "root:") {
			t.Errorf("the link was followed: %q", clip(got))
		}
	}
}

// A regular file at /dev/null must not be what hides the masked paths: it can be written and read back.
func TestAttackDevNullIsAFile(t *testing.T) {
	knownHole(t, "CVE-2025-31133")
	t.Parallel()
	r := newCLI(t)
	b := newBundle(t, ownDev, File("dev/null", "planted", 0o666), Shell("stat -c %F:%t:%T /proc/timer_list; head -c 500 /proc/timer_list"))
	if res := r.Run(b); strings.Contains(res.Stdout, "planted") || strings.Contains(res.Stdout, "regular") {
		t.Errorf("a planted /dev/null hides the masked paths: %q", clip(res.Stdout))
	}
}

// The image replaces /dev/null after the runtime looked: the mount brings a directory with a bad null.
func TestAttackDevNullByABind(t *testing.T) {
	knownHole(t, "CVE-2025-31133")
	t.Parallel()
	r := newCLI(t)
	dir := t.TempDir()
	must(t, os.Symlink("/etc/passwd", filepath.Join(dir, "null")))
	b := newBundle(t, ownDev, Bind(dir, "/dev"), Shell("head -c 500 /proc/timer_list /proc/keys"))
	if res := r.Run(b); strings.Contains(res.Stdout, "root:") {
		t.Errorf("masked paths show the file: %q", clip(res.Stdout))
	}
}

func TestAttackOtherDevices(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	host, check := untouched(t)
	for _, name := range []string{"zero", "full", "random", "urandom", "tty", "fd", "stdin", "ptmx", "pts", "shm"} {
		for _, target := range []string{host, host + "/file", host + "/new"} {
			r.Run(newBundle(t, ownDev, Symlink(target, "dev/"+name), Mount("devpts", "devpts", "/dev/pts", "newinstance"), Shell("true")))
			check()
		}
	}
}

// A configured device whose path goes through a link.
func TestAttackDevicePathIsALink(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	host, check := untouched(t)
	for _, path := range []string{"/link/dev", "/link/file"} {
		b := newBundle(t, Symlink(host, "link"), Linux(func(l *specs.Linux) {
			l.Devices = []specs.LinuxDevice{{Path: path, Type: "c", Major: 1, Minor: 3}}
		}))
		r.Run(b)
		check()
	}
}

// The whole of /dev is a link: the default nodes and links must not be made where it leads.
func TestAttackDevIsALink(t *testing.T) {
	knownHole(t, "CVE-2026-41579")
	t.Parallel()
	r := newCLI(t)
	host, check := untouched(t)
	for _, target := range []string{host, strings.Repeat("../", 20) + host[1:]} {
		r.Run(newBundle(t, Symlink(target, "dev"), ownDev))
		check()
	}
}

// /dev/console gets the terminal bound over it; a link there must not lead to the host's files.
func TestAttackDevConsoleIsALink(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	host, check := untouched(t)
	for _, target := range []string{host + "/file", host + "/new", "/proc/self/fd/0"} {
		b := newBundle(t, ownDev, Mount("devpts", "devpts", "/dev/pts", "newinstance", "ptmxmode=0666"), Symlink(target, "dev/console"), terminal, Shell("echo x > /dev/console"))
		out := newWatcher("")
		_, wait := onPty(t, r, out, pty.Winsize{Rows: 20, Cols: 70}, "run", "--bundle", b.Dir, r.ID())
		wait()
		check()
	}
}

// The bind of a device, or of the terminal, must not land in procfs or sysfs through a link: it would cover a file that
// all processes of the container take for the kernel's.
func TestAttackDeviceBoundIntoProc(t *testing.T) {
	onlyDhow(t, "1.1 follows the link")
	t.Parallel()
	r := newCLI(t)
	configured := Linux(func(l *specs.Linux) {
		l.Devices = []specs.LinuxDevice{{Path: "/dev/null", Type: "c", Major: 1, Minor: 3}}
	})
	for name, c := range map[string]struct {
		edit Edit
		word string
	}{
		"default device":        {Symlink("/proc/version", "dev/zero"), "procfs"},
		"default device, sysfs": {Symlink("/sys/kernel/uevent_seqnum", "dev/zero"), "sysfs"},
		"configured device":     {both(configured, Symlink("/proc/version", "dev/null")), "procfs"},
		"relative link":         {Symlink("../proc/version", "dev/full"), "procfs"},
		"two links":             {both(Symlink("/alias/version", "dev/tty"), Symlink("proc", "alias")), "procfs"},
		"last default device":   {Symlink("/proc/self/cmdline", "dev/tty"), "procfs"},
		"console":               {both(terminal, Symlink("/proc/version", "dev/console")), "procfs"},
		"console, sysfs":        {both(terminal, Symlink("/sys/kernel/uevent_seqnum", "dev/console")), "sysfs"},
	} {
		t.Run(name, func(t *testing.T) {
			r := &cli{t: t, Path: r.Path, Root: r.Root}
			users := []Edit{MappedUser}
			if strings.HasPrefix(name, "console") {
				users = append(users, func(*Bundle) {})
			}
			for _, user := range users {
				b := newBundle(t, ownDev, c.edit, Shell("stat -c %F /proc/version"), Mount("devpts", "devpts", "/dev/pts", "newinstance", "ptmxmode=0666"))
				user(b)
				must(t, b.Save())
				out := newWatcher("")
				_, wait := onPty(t, r, out, pty.Winsize{Rows: 20, Cols: 70}, "run", "--bundle", b.Dir, r.ID())
				if code := wait(); code != 1 || !strings.Contains(out.String(), "the destination is in "+c.word) {
					t.Errorf("exit %d: %q", code, clip(out.String()))
				}
			}
		})
	}
}

// CVE-2025-52565: /dev/pts/ptmx or /dev/ptmx stand-ins that lead the new terminal elsewhere.
func TestAttackPtmxIsALink(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	host, check := untouched(t)
	for _, link := range []string{"dev/ptmx", "dev/pts/ptmx", "dev/pts"} {
		b := newBundle(t, ownDev, Dir("dev/pts"), Symlink(host+"/file", link), terminal, Shell("true"))
		out := newWatcher("")
		_, wait := onPty(t, r, out, pty.Winsize{Rows: 20, Cols: 70}, "run", "--bundle", b.Dir, r.ID())
		wait()
		check()
	}
}
