package integration

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

func TestCheckpointAndRestore(t *testing.T) {
	t.Parallel()
	s := newSaved(t, []string{"count"})
	s.checkpoint().Exited(0)
	s.Do("state", s.id).Failed("does not exist")
	checkGone(t, s.id)
	before := len(s.numbers())
	time.Sleep(5 * 10 * time.Millisecond) // five ticks, in which nothing may happen
	if after := len(s.numbers()); after != before {
		t.Errorf("the saved container went on from %d to %d", before, after)
	}
	pidFile := filepath.Join(t.TempDir(), "pid")
	s.restore("--pid-file", pidFile).Exited(0)
	if pid := readFile(t, pidFile); pid != itoa(s.State(s.id).Pid) {
		t.Errorf("the pid file says %s, state %d", pid, s.State(s.id).Pid)
	}
	s.goesOn()
}

// What is restored can be saved and restored again, under another id.
func TestCheckpointTwice(t *testing.T) {
	t.Parallel()
	s := newSaved(t, []string{"count"})
	for range 2 {
		s.checkpoint().Exited(0)
		must(t, os.Remove(filepath.Join(s.images, "dump.log")))
		s.id = s.ID()
		s.restore().Exited(0)
		s.awaitNumbers(3)
	}
	s.goesOn()
}

func TestCheckpointLeaveRunning(t *testing.T) {
	t.Parallel()
	s := newSaved(t, []string{"count"})
	s.checkpoint("--leave-running").Exited(0)
	if st := s.State(s.id); st.Status != "running" {
		t.Fatalf("state: %+v", st)
	}
	s.goesOn()
}

func TestCheckpointWorkPath(t *testing.T) {
	t.Parallel()
	s := newSaved(t, []string{"count"})
	work := filepath.Join(t.TempDir(), "work")
	s.checkpoint("--work-path", work).Exited(0)
	s.restore("--work-path", work).Exited(0)
	for _, log := range []string{"dump.log", "restore.log"} {
		if !exists(filepath.Join(work, log)) || exists(filepath.Join(s.images, log)) {
			t.Errorf("%s is not in --work-path", log)
		}
	}
	s.goesOn()
}

// A restore in the foreground waits, and exits as run does.
func TestRestoreInTheForeground(t *testing.T) {
	t.Parallel()
	s := newSaved(t, []string{"count"})
	s.checkpoint().Exited(0)
	cmd := s.Command("restore", "--image-path", s.images, "--bundle", s.b.Dir, s.id)
	in, err := cmd.StdinPipe()
	must(t, err)
	defer in.Close()
	out, err := cmd.StdoutPipe()
	must(t, err)
	defer out.Close()
	cmd.Stderr = cmd.Stdout
	must(t, cmd.Start())
	s.awaitNumbers(3)
	s.inSequence()
	must(t, cmd.Process.Signal(unix.SIGTERM)) // forwarded
	_ = cmd.Wait()
	if code := exitCode(cmd.ProcessState); code != 2 { // that of a Go program that is process 1
		t.Errorf("exit %d", code)
	}
	s.Do("state", s.id).Failed("does not exist")
}

// The container's pipes become those of the caller of restore.
func TestCheckpointPipes(t *testing.T) {
	t.Parallel()
	r := newCRIU(t)
	b, id, images := newBundle(t, probe("say")), r.ID(), t.TempDir()
	out := newWatcher("3")
	r.piped(out, "run", "-d", "--bundle", b.Dir, id).Exited(0)
	out.await(t)
	r.Do("checkpoint", "--image-path", images, id).Exited(0)
	numbers := strings.Fields(out.String())
	last, err := strconv.Atoi(numbers[len(numbers)-1])
	must(t, err)
	again := newWatcher("\n" + itoa(last+3) + "\n")
	r.piped(again, "restore", "-d", "--image-path", images, "--bundle", b.Dir, id).Exited(0)
	again.await(t)
}

// Fifos on the host, as containerd has them, are those of the caller of restore.
func TestCheckpointFifos(t *testing.T) {
	onlyDhow(t, "cannot save such streams")
	t.Parallel()
	r := newCRIU(t)
	b, id, images := newBundle(t, probe("say")), r.ID(), t.TempDir()
	onto := func(out *watcher, verb ...string) {
		t.Helper()
		path := filepath.Join(t.TempDir(), "stdout")
		must(t, unix.Mkfifo(path, 0o600))
		fifo, err := os.OpenFile(path, os.O_RDWR, 0)
		must(t, err)
		t.Cleanup(func() { fifo.Close() })
		writer, err := os.OpenFile(path, os.O_WRONLY, 0)
		must(t, err)
		defer writer.Close()
		go out.drain(fifo)
		cmd := r.Command(append(verb, "--bundle", b.Dir, id)...)
		cmd.Stdout, cmd.Stderr = writer, writer
		r.DoCommand(cmd).Exited(0)
		out.await(t)
	}
	out := newWatcher("3")
	onto(out, "run", "-d")
	r.Do("checkpoint", "--image-path", images, id).Exited(0)
	numbers := strings.Fields(out.String())
	last, err := strconv.Atoi(numbers[len(numbers)-1])
	must(t, err)
	onto(newWatcher("\n"+itoa(last+3)+"\n"), "restore", "-d", "--image-path", images)
}

// Files and /dev/null as standard streams, which are outside of the container, are those of the caller.
func TestCheckpointFilesAsStreams(t *testing.T) {
	onlyDhow(t, "cannot save such streams")
	t.Parallel()
	s := newSaved(t, []string{"count"})
	s.Must("delete", "--force", s.id)
	must(t, os.Remove(filepath.Join(s.out, "log")))
	s.Detached("run", "-d", "--bundle", s.b.Dir, s.id).Exited(0)
	s.awaitNumbers(3)
	s.checkpoint().Exited(0)
	s.Detached("restore", "-d", "--image-path", s.images, "--bundle", s.b.Dir, s.id).Exited(0)
	s.goesOn()
}

func TestCheckpointNamespacesAndLimits(t *testing.T) {
	t.Parallel()
	s := newSaved(t, []string{"count"}, Resources(func(r *specs.LinuxResources) { r.Pids = &specs.LinuxPids{Limit: new(int64(77))} }))
	s.checkpoint().Exited(0)
	s.restore().Exited(0)
	limit := ""
	for _, group := range cgroupsOf(s.id) {
		if text, err := os.ReadFile(filepath.Join(strings.TrimPrefix(group, "cgroup "), "pids.max")); err == nil && strings.TrimSpace(string(text)) != "max" {
			limit = strings.TrimSpace(string(text))
		}
	}
	if limit != "77" {
		t.Errorf("pids.max is %q", limit)
	}
	pids := s.Must("ps", "--format", "json", s.id).Stdout
	if want := "[" + itoa(s.State(s.id).Pid) + "]"; strings.TrimSpace(pids) != want {
		t.Errorf("ps: %s, want %s", pids, want)
	}
	s.goesOn()
}

// No control group of the host's is to be seen in a restored container.
func TestRestoredCgroupsAreItsOwn(t *testing.T) {
	onlyDhow(t, "shows the host's hierarchies to what it restores")
	t.Parallel()
	s := newSaved(t, []string{"count"})
	s.checkpoint().Exited(0)
	s.restore().Exited(0)
	pid := itoa(s.State(s.id).Pid)
	for _, line := range lines(readFile(t, "/proc/"+pid+"/mountinfo")) {
		if f := strings.Fields(line); strings.Contains(line, " - cgroup ") && !strings.Contains(f[3], s.id) {
			t.Errorf("the container sees %s", line)
		}
	}
	if up := s.Must("exec", s.id, "/bin/busybox", "ip", "addr", "show", "lo").Stdout; !strings.Contains(up, "127.0.0.1") {
		t.Errorf("loopback: %s", up)
	}
}

func TestCheckpointMounts(t *testing.T) {
	t.Parallel()
	below, file := t.TempDir(), filepath.Join(t.TempDir(), "file")
	must(t, os.Mkdir(filepath.Join(below, "sub"), 0o755))
	must(t, os.WriteFile(filepath.Join(below, "in"), []byte("below"), 0o644))
	must(t, os.WriteFile(file, []byte("a file"), 0o644))
	s := newSaved(t, []string{"count"}, Bind(below, "/deep/er"), Bind(t.TempDir(), "/deep/er/sub"), Bind(file, "/etc/bound", "ro"),
		Mount("tmpfs", "tmpfs", "/scratch"))
	s.Must("exec", s.id, "/bin/sh", "-c", "echo kept > /scratch/x; mkdir /scratch/dir; mkfifo /scratch/dir/fifo")
	s.checkpoint().Exited(0)
	must(t, os.RemoveAll(filepath.Join(s.b.Rootfs(), "deep"))) // as on another machine
	must(t, os.RemoveAll(filepath.Join(below, "sub")))
	s.restore().Exited(0)
	s.Must("exec", s.id, "/bin/sh", "-c", "cat /deep/er/in /etc/bound /scratch/x; [ -p /scratch/dir/fifo ] && echo fifo").Printed("belowa filekept\nfifo")
	s.Do("exec", s.id, "/bin/sh", "-c", "echo x > /etc/bound").Exited(1)
	s.goesOn()
}

// A mount that a recursive bind brings along comes from outside too.
func TestCheckpointMountBelowABind(t *testing.T) {
	onlyDhow(t, "fails on such mounts")
	t.Parallel()
	needRoot(t)
	tree, err := os.MkdirTemp("", "dhow-tree-") // outlives the check for mounts left behind
	must(t, err)
	t.Cleanup(func() { os.RemoveAll(tree) })
	must(t, os.Mkdir(filepath.Join(tree, "sub"), 0o755))
	must(t, unix.Mount("tmpfs", filepath.Join(tree, "sub"), "tmpfs", 0, ""))
	t.Cleanup(func() { _ = unix.Unmount(filepath.Join(tree, "sub"), unix.MNT_DETACH) })
	must(t, os.WriteFile(filepath.Join(tree, "sub/x"), []byte("outside"), 0o644))
	s := newSaved(t, []string{"count"}, Bind(tree, "/tree"))
	s.checkpoint().Exited(0)
	s.restore().Exited(0)
	s.Must("exec", s.id, "cat", "/tree/sub/x").Printed("outside")
	s.goesOn()
}

func TestCheckpointUserNamespace(t *testing.T) {
	t.Parallel()
	s := newSaved(t, []string{"count"}, MappedUser)
	s.checkpoint().Exited(0)
	must(t, os.Chmod(s.images, 0o755)) // criu looks into it as the mapped root
	s.restore().Exited(0)
	s.goesOn()
}

func TestCheckpointFileLocks(t *testing.T) {
	t.Parallel()
	s := newSaved(t, []string{"lock", "/out/locked"})
	held := func() bool {
		f, err := os.OpenFile(filepath.Join(s.out, "locked"), os.O_RDWR, 0)
		must(t, err)
		defer f.Close()
		return unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB) == unix.EWOULDBLOCK
	}
	if !held() {
		t.Fatal("the lock is not held before")
	}
	s.Do("checkpoint", "--image-path", s.images, s.id).Failed("lock").Exited(1)
	s.awaitNumbers(3) // a failed checkpoint lets the container run on
	s.checkpoint("--file-locks").Exited(0)
	if held() {
		t.Error("a lock outlives its holder")
	}
	s.restore("--file-locks").Exited(0)
	if !held() {
		t.Error("the lock was not restored")
	}
	s.goesOn()
}
