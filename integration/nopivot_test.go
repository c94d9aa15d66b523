package integration

import (
	"testing"

	"golang.org/x/sys/unix"
)

// --no-pivot leaves the host's mounts in the container's mount namespace. None of them may be a procfs by which the kernel
// would let the container have another one, with nothing masked.
func TestNoPivotHidesEveryProcfs(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	dir := t.TempDir()
	must(t, unix.Mount("proc", dir, "proc", 0, ""))
	t.Cleanup(func() { must(t, unix.Unmount(dir, unix.MNT_DETACH)) })
	for name, edit := range map[string]Edit{"plain": func(*Bundle) {}, "user namespace": MappedUser} {
		b := newBundle(t, Shell("unshare -mrpf sh -c 'mount -t proc proc /proc && echo bare'; :"), edit, func(b *Bundle) {
			add := func(list *[]string) { *list = append(*list, "CAP_SETFCAP", "CAP_SYS_ADMIN") }
			c := b.Spec.Process.Capabilities
			add(&c.Bounding)
			add(&c.Permitted)
			add(&c.Effective)
			b.Spec.Linux.MaskedPaths = []string{"/proc/kcore", "/proc/keys"}
		})
		res := r.Do("run", "--no-pivot", "--bundle", b.Dir, r.ID())
		if res.Exited(0); res.Stdout != "" {
			t.Errorf("%s: it has mounted another procfs: %s%s", name, res.Stdout, res.Stderr)
		}
		t.Log(name, res.Stderr)
	}
}
