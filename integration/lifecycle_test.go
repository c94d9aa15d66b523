package integration

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestLifecycle(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	b := newBundle(t, Args("sleep", "1000"), func(b *Bundle) {
		b.Spec.Annotations = map[string]string{"org.example.key": "value"}
	})
	id := r.Create(b)
	s := r.State(id)
	if s.Status != "created" || s.ID != id || s.Bundle != b.Dir || s.Pid <= 0 {
		t.Errorf("after create: %+v", s)
	}
	if s.OCIVersion == "" || s.Annotations["org.example.key"] != "value" {
		t.Errorf("state lacks ociVersion or annotations: %+v", s)
	}
	r.Must("start", id)
	if s := r.State(id); s.Status != "running" {
		t.Errorf("after start: %+v", s)
	}
	r.Must("kill", id, "KILL")
	r.AwaitStatus(id, "stopped")
	if s := r.State(id); s.Pid != 0 {
		t.Errorf("a stopped container shows pid %d", s.Pid)
	}
	r.Must("delete", id)
	r.Do("state", id).Failed("does not exist")
}

func TestCreateDoesNotRunTheProcess(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	out := t.TempDir()
	b := newBundle(t, Shell("touch /out/ran"), Bind(out, "/out"))
	id := r.Create(b)
	if exists(out + "/ran") {
		t.Fatal("the process ran before start")
	}
	r.Must("start", id)
	await(t, "the process to run", func() bool { return exists(out + "/ran") })
}

func TestDeleteOfACreatedContainer(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	id := r.Create(newBundle(t))
	pid := r.State(id).Pid
	r.Must("delete", "--force", id)
	await(t, "init to end", func() bool { return ended(pid) })
}

func TestKillOfACreatedContainer(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	id := r.Create(newBundle(t))
	r.Must("kill", id, "KILL")
	r.AwaitStatus(id, "stopped")
	r.Must("delete", id)
}

func TestWrongStateForTheVerb(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	id := r.Started(newBundle(t, Args("sleep", "1000")))
	r.Do("start", id).Failed()
	r.Do("delete", id).Failed("stopped")
	r.Do("create", "--bundle", newBundle(t).Dir, id).Failed("exist")
	r.Must("kill", id, "KILL")
	r.AwaitStatus(id, "stopped")
	r.Do("start", id).Failed("stopped")
	r.Do("exec", id, "true").Failed("stopped")
	r.Do("kill", id, "TERM").Failed("not running")
	r.Must("delete", id)
	r.Do("delete", id).Failed("does not exist")
	r.Do("start", id).Failed("does not exist")
	r.Do("kill", id).Failed("does not exist")
	r.Do("exec", id, "true").Failed("does not exist")
	r.Do("ps", id).Failed("does not exist")
	r.Must("delete", "--force", id)
}

func TestIDs(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	b := newBundle(t)
	for _, id := range []string{"", ".", "..", "a/b", "../x", "a b", "é", "a\nb", "a*", "-" + strings.Repeat("/", 3)} {
		t.Run("bad "+id, func(t *testing.T) {
			r := &cli{t: t, Path: r.Path, Root: r.Root}
			r.Do("create", "--bundle", b.Dir, "--", id).Failed()
			r.Do("state", "--", id).Failed()
			r.Do("delete", "--force", "--", id).Failed()
		})
	}
	for _, id := range []string{"a", "A_9+.-z", "...", "x" + strings.Repeat("y", 200)} {
		t.Run("good "+id[:1], func(t *testing.T) {
			r := &cli{t: t, Path: r.Path, Root: r.Root}
			r.Must("run", "--bundle", b.Dir, id)
		})
	}
}

func TestStateDirectoryIsPrivate(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	id := r.Create(newBundle(t))
	info, err := os.Stat(r.Root + "/" + id)
	must(t, err)
	if info.Mode().Perm()&0o066 != 0 {
		t.Errorf("state directory has mode %v: others can read it", info.Mode())
	}
}

// A container that waits for its start ends by SIGTERM as others do.
func TestTerminateACreatedContainer(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	id := r.Create(newBundle(t, Args("true")))
	r.Must("kill", id)
	r.AwaitStatus(id, "stopped")
	r.Do("start", id).Failed("stopped")
}

// The handler for that is gone when the container runs: what its program does about SIGTERM is its own business.
func TestTerminateAfterStart(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	b := newBundle(t, Shell("grep -E 'Sig(Cgt|Ign)' /proc/self/status > /out; sleep 1000"))
	id := r.Started(b)
	await(t, "the output", func() bool {
		return exists(filepath.Join(b.Rootfs(), "out")) && len(lines(readFile(t, filepath.Join(b.Rootfs(), "out")))) == 2
	})
	for _, line := range lines(readFile(t, filepath.Join(b.Rootfs(), "out"))) {
		mask, err := strconv.ParseUint(strings.Fields(line)[1], 16, 64)
		must(t, err)
		if mask&(1<<(unix.SIGTERM-1)) != 0 {
			t.Errorf("SIGTERM is caught or ignored: %s", line)
		}
	}
	r.Must("kill", id)
	if s := r.State(id); s.Status != "running" {
		t.Errorf("status %s after a SIGTERM to an init without a handler", s.Status)
	}
}
