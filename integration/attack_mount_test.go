package integration

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// DESIGN rule 1: no path inside a root file system is followed as the host would follow it.

// untouched is a host directory with one file; check fails the test if anything about it changed.
func untouched(t *testing.T) (dir string, check func()) {
	t.Helper()
	dir = t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, "file"), []byte("host"), 0o600))
	return dir, func() {
		t.Helper()
		entries, err := os.ReadDir(dir)
		must(t, err)
		if len(entries) != 1 || readFile(t, filepath.Join(dir, "file")) != "host" {
			t.Errorf("the host's directory was changed: %v", entries)
		}
		if left := mountsOf(dir); len(left) > 0 {
			t.Errorf("mounted on the host: %v", left)
		}
	}
}

func TestAttackSymlinkedDestinations(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	host, check := untouched(t)
	up := strings.Repeat("../", 20)
	for name, link := range map[string]string{
		"absolute": host, "relative above the root": up + host[1:], "to the root": "/", "to proc": "/proc/self/root" + host,
		"dangling": host + "/made", "loop": "link",
	} {
		t.Run(name, func(t *testing.T) {
			r := &cli{t: t, Path: r.Path, Root: r.Root}
			for _, dest := range []string{"/link", "/link/deeper", "/tmp/../link/x"} {
				b := newBundle(t, Symlink(link, "link"), Mount("tmpfs", "tmpfs", dest))
				r.Run(b) // may fail or land inside: what counts is the host
				check()
				src := t.TempDir()
				b = newBundle(t, Symlink(link, "link"), Bind(src, dest))
				r.Run(b)
				check()
			}
		})
	}
}

// A file destination is created before it is bound over: that must not write through a link either.
func TestAttackSymlinkedFileDestination(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	host, check := untouched(t)
	src := filepath.Join(t.TempDir(), "src")
	must(t, os.WriteFile(src, []byte("inside"), 0o644))
	for _, link := range []string{host + "/file", host + "/new", strings.Repeat("../", 20) + host[1:] + "/new2"} {
		r.Run(newBundle(t, Symlink(link, "etc/link"), Bind(src, "/etc/link")))
		check()
	}
}

func TestAttackDotDotDestination(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	host, check := untouched(t)
	up := "/" + strings.Repeat("../", 20)
	r.Run(newBundle(t, Mount("tmpfs", "tmpfs", up+host[1:])))
	check()
	r.Run(newBundle(t, Bind(t.TempDir(), up+host[1:]+"/new")))
	check()
}

// A directory on the way to a destination and a link to the host swap places while the runtime mounts.
func TestAttackSwappedDestination(t *testing.T) {
	knownHole(t, "CVE-2021-30465 and its kin")
	t.Parallel()
	r := newCLI(t)
	host, check := untouched(t)
	b := newBundle(t, Dir("work/point"), Mount("tmpfs", "tmpfs", "/work/point"), Mount("tmpfs", "tmpfs", "/work/point/deep"))
	trap := filepath.Join(b.Rootfs(), "trap")
	must(t, os.Mkdir(filepath.Join(host, "point"), 0o755))
	must(t, os.Symlink(host, trap))
	stop := make(chan struct{})
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		work := filepath.Join(b.Rootfs(), "work")
		for {
			select {
			case <-stop:
				return
			default:
				_ = unix.Renameat2(unix.AT_FDCWD, work, unix.AT_FDCWD, trap, unix.RENAME_EXCHANGE)
			}
		}
	}()
	for begin, i := time.Now(), 0; i < 60 && time.Since(begin) < 6*time.Second; i++ {
		r.Run(b) // fails whenever the swap catches it; that is fine
	}
	close(stop)
	<-stopped
	if err := os.Remove(filepath.Join(host, "point")); err != nil {
		t.Errorf("something got through to the host's directory: %v", err)
	}
	check()
}

// Rule 3: nothing over the sub-paths of /proc that protect the container.
func TestAttackMountOverProc(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	for _, dest := range []string{"/proc/self/attr", "/proc/sys/kernel", "/proc/1", "/proc"} {
		b := newBundle(t, Bind(t.TempDir(), dest))
		r.Run(b).Failed("proc")
	}
	b := newBundle(t, Symlink("/proc/self", "alias"), Bind(t.TempDir(), "/alias/attr"))
	r.Run(b).Failed()
}

// lxcfs mounts these: they stay allowed.
func TestAllowedMountsOverProc(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	src := filepath.Join(t.TempDir(), "uptime")
	must(t, os.WriteFile(src, []byte("1.00 1.00\n"), 0o644))
	r.Run(newBundle(t, Shell("cat /proc/uptime"), Bind(src, "/proc/uptime"))).Exited(0).Printed("1.00 1.00")
}

// Masked and read-only paths that are links inside the root file system hide what they point to inside.
func TestAttackMaskedPathIsALink(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	host, check := untouched(t)
	b := newBundle(t, Shell("echo done"), Symlink(host, "etc/hidden"), Symlink(host+"/file", "etc/hidden2"), func(b *Bundle) {
		b.Spec.Linux.MaskedPaths = append(b.Spec.Linux.MaskedPaths, "/etc/hidden", "/etc/hidden2")
		b.Spec.Linux.ReadonlyPaths = append(b.Spec.Linux.ReadonlyPaths, "/etc/hidden", "/etc/hidden2")
	})
	r.Run(b)
	check()
}
