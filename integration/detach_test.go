package integration

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
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
