package integration

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/integration/facts"
)

// tmpfsTree is a host directory with a tmpfs on it and another one below, both shared.
func tmpfsTree(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	below := filepath.Join(dir, "below")
	for _, point := range []string{dir, below} {
		must(t, os.MkdirAll(point, 0o755))
		must(t, unix.Mount("tmpfs", point, "tmpfs", 0, ""))
		must(t, unix.Mount("", point, "", unix.MS_SHARED, ""))
		t.Cleanup(func() { must(t, unix.Unmount(point, unix.MNT_DETACH)) })
	}
	return dir
}

func TestPropagationOfMounts(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	for option, c := range map[string]struct{ top, below string }{
		"shared": {"shared", "-"}, "rshared": {"shared", "shared"},
		"slave": {"master", "-"}, "rslave": {"master", "master"},
		"private": {"", "-"}, "rprivate": {"", ""},
		"unbindable": {"unbindable", "-"}, "runbindable": {"unbindable", "unbindable"},
	} {
		t.Run(option, func(t *testing.T) {
			r := &cli{t: t, Path: r.Path, Root: r.Root}
			f := r.Run(newBundle(t, probe("dump"), Bind(tmpfsTree(t), "/mnt", option))).Facts()
			checkPropagation(t, f.MountAt("/mnt"), c.top)
			if c.below != "-" {
				checkPropagation(t, f.MountAt("/mnt/below"), c.below)
			}
		})
	}
}

func checkPropagation(t *testing.T, m *facts.Mount, want string) {
	t.Helper()
	if m == nil {
		t.Error("mount is missing")
		return
	}
	shown := slices.ContainsFunc(m.Propagation, func(p string) bool { return strings.HasPrefix(p, want) })
	if want == "" {
		shown = len(m.Propagation) == 0
	}
	if !shown {
		t.Errorf("%s has propagation %v, want %q", m.Point, m.Propagation, want)
	}
}

// A mount made on the host after the start shows up in a slave, and not in a private mount.
func TestSlaveReceivesLaterMounts(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	for option, want := range map[string]string{"rslave": "later\n", "rprivate": ""} {
		src := tmpfsTree(t)
		must(t, os.Mkdir(filepath.Join(src, "point"), 0o755))
		b := newBundle(t, Args("sleep", "1000"), Bind(src, "/mnt", option), func(b *Bundle) {
			b.Spec.Linux.RootfsPropagation = "rslave" // else the whole tree is private
		})
		id := r.Started(b)
		point := filepath.Join(src, "point")
		must(t, unix.Mount("tmpfs", point, "tmpfs", 0, ""))
		must(t, os.Mkdir(filepath.Join(point, "later"), 0o755))
		if res := r.Do("exec", id, "ls", "/mnt/point").Exited(0); res.Stdout != want {
			t.Errorf("%s: saw %q, want %q", option, res.Stdout, want)
		}
		must(t, unix.Unmount(point, unix.MNT_DETACH))
	}
}

// Nothing that a container mounts reaches the host unless a mount is shared.
func TestContainerMountsStayInside(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	src := tmpfsTree(t)
	must(t, os.Mkdir(filepath.Join(src, "made"), 0o755))
	admin := func(b *Bundle) {
		caps := append(slices.Clone(DefaultCapabilities), "CAP_SYS_ADMIN")
		c := b.Spec.Process.Capabilities
		c.Bounding, c.Effective, c.Permitted = caps, caps, caps
	}
	for option, want := range map[string]int{"rprivate": 0, "rslave": 0, "rshared": 1} {
		b := newBundle(t, Shell("mount -t tmpfs tmpfs /mnt/made && grep -q /mnt/made /proc/self/mountinfo"), admin, Bind(src, "/mnt", option), func(b *Bundle) {
			b.Spec.Linux.RootfsPropagation = option // a slave tree would cut the way back to the host
		})
		r.Run(b).Exited(0)
		if got := len(mountsOf(filepath.Join(src, "made"))); got != want {
			t.Errorf("%s: the host sees %d mounts, want %d", option, got, want)
		}
		if want == 1 {
			must(t, unix.Unmount(filepath.Join(src, "made"), unix.MNT_DETACH))
		}
	}
}

func TestRootfsPropagation(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	for mode, want := range map[string]string{"": "", "private": "", "slave": "", "shared": "shared", "unbindable": "unbindable"} {
		if want != "" && underTest.kind == Runc {
			continue // 1.1 uses the mode for the tree it leaves, not for the new root
		}
		b := newBundle(t, probe("dump"), func(b *Bundle) { b.Spec.Linux.RootfsPropagation = mode })
		f := r.Run(b).Facts()
		checkPropagation(t, f.MountAt("/"), want)
	}
}

// What is hidden inside a bind mount is cloned first, which an unbindable mount would refuse.
func TestUnbindableRootWithHiddenPaths(t *testing.T) {
	onlyDhow(t, "1.1 uses the mode for the tree it leaves, not for the new root")
	t.Parallel()
	r := newCLI(t)
	for _, mode := range []string{"unbindable", "runbindable"} {
		src := tmpfsTree(t)
		for _, dir := range []string{"kept", "hidden", "below/kept", "below/hidden"} {
			must(t, os.Mkdir(filepath.Join(src, dir), 0o755))
			must(t, os.WriteFile(filepath.Join(src, dir, "file"), []byte("text\n"), 0o644))
		}
		b := newBundle(t, withProbe, Shell("cd /mnt; cat kept/file below/kept/file; ls hidden below/hidden; touch kept/x || touch below/kept/x || /probe dump"), Bind(src, "/mnt"), func(b *Bundle) {
			l := b.Spec.Linux
			l.RootfsPropagation = mode
			l.ReadonlyPaths = append(l.ReadonlyPaths, "/mnt/kept", "/mnt/below/kept")
			l.MaskedPaths = append(l.MaskedPaths, "/mnt/hidden", "/mnt/below/hidden", "/mnt/below/kept/file/none")
		})
		out := r.Run(b).Exited(0).Stdout
		text, dump, found := strings.Cut(out, "{")
		if !found || text != "text\ntext\nbelow/hidden:\n\nhidden:\n" {
			t.Errorf("%s: printed %q", mode, text)
		}
		f := &facts.Facts{}
		decode(t, "{"+dump, f)
		checkPropagation(t, f.MountAt("/"), "unbindable")
		if mode == "runbindable" {
			checkPropagation(t, f.MountAt("/mnt"), "unbindable")
		}
	}
}
