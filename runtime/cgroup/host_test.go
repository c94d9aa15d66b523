package cgroup_test

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/dhow-containers/dhow/runtime/cgroup"
	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

func needRoot(t testing.TB) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root, to make control groups")
	}
}

func detect(t testing.TB) *cgroup.Host {
	t.Helper()
	h, err := cgroup.Detect()
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// views returns the host as it is, and on a hybrid host also as if it had no
// version 2 tree.
func views(t *testing.T, f func(t *testing.T, h *cgroup.Host)) {
	needRoot(t)
	t.Run(detect(t).Mode.String(), func(t *testing.T) { f(t, detect(t)) })
	if h := detect(t); h.Mode == cgroup.Hybrid {
		h.Mode, h.V2Root = cgroup.Legacy, ""
		t.Run("legacy", func(t *testing.T) { f(t, h) })
	}
}

var serial atomic.Int32

// newPath returns a cgroupsPath that no one else uses.
func newPath() string {
	return fmt.Sprintf("/dhow-test-%d-%d", os.Getpid(), serial.Add(1))
}

// roots lists the mount points of every hierarchy.
func roots(h *cgroup.Host) []string {
	list := []string{}
	for _, r := range h.V1 {
		list = append(list, r)
	}
	if h.V2Root != "" {
		list = append(list, h.V2Root)
	}
	return list
}

// leftovers lists what exists of a cgroupsPath.
func leftovers(h *cgroup.Host, path string) []string {
	var found []string
	for _, r := range roots(h) {
		if _, err := os.Stat(r + path); err == nil {
			found = append(found, r+path)
		}
	}
	return found
}

// create makes a group and removes it, with its processes, after the test.
func create(t testing.TB, h *cgroup.Host, path string, r *specs.LinuxResources) *cgroup.Group {
	t.Helper()
	p, err := cgroup.Compile(h, path, "c1", r)
	if err != nil {
		t.Fatal(err)
	}
	g, err := p.Create()
	if err != nil {
		t.Fatalf("%v\n%s", err, p)
	}
	t.Cleanup(func() { destroy(t, h, g) })
	return g
}

func destroy(t testing.TB, h *cgroup.Host, g *cgroup.Group) {
	_ = g.Thaw()
	if err := g.Kill(unix.SIGKILL); err != nil {
		t.Error(err)
	}
	if err := g.Delete(); err != nil {
		t.Error(err)
	}
	if g.Exists() {
		t.Error("the group still exists")
	}
}

// process is a helper inside a group.
type process struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

// start runs a helper in the group: cloned into version 2, and moved by itself
// in version 1, by a shell because a Go program has several threads.
func start(t testing.TB, g *cgroup.Group, mode string) *process {
	t.Helper()
	script := `for f in $TASKS; do echo 0 >$f || exit 9; done; exec "$0"`
	cmd := exec.Command("/bin/sh", "-c", script, os.Args[0])
	cmd.Env = append(os.Environ(), helperEnv+"="+mode, "GOMAXPROCS=1", "TASKS="+strings.Join(g.TasksFiles(), " "))
	cmd.Stderr = os.Stderr
	fd, err := g.FD()
	if err != nil {
		t.Fatal(err)
	}
	if fd != nil {
		defer fd.Close()
		cmd.SysProcAttr = &syscall.SysProcAttr{UseCgroupFD: true, CgroupFD: int(fd.Fd())}
	}
	p := &process{cmd: cmd}
	if p.in, err = cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.out = bufio.NewReader(out)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.in.Close(); _ = cmd.Process.Kill(); _ = cmd.Wait() })
	return p
}

// line is the helper's next line of output, "" at its end.
func (p *process) line() string {
	s, _ := p.out.ReadString('\n')
	return strings.TrimSpace(s)
}

// signal is the signal that ended the helper.
func (p *process) signal(t *testing.T) syscall.Signal {
	t.Helper()
	_ = p.cmd.Wait()
	return p.cmd.ProcessState.Sys().(syscall.WaitStatus).Signal()
}

func read(t testing.TB, file string) string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(data))
}

func ptr[T any](v T) *T { return &v }

// node makes a device node that no default rule allows, and opens it once.
func node(t *testing.T, major, minor uint32) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "node")
	if err := unix.Mknod(file, unix.S_IFCHR|0o600, int(unix.Mkdev(major, minor))); err != nil {
		t.Skip("needs a file system with device nodes:", err)
	}
	if got := openErrno(file); got != "ok" {
		t.Skipf("needs device %d:%d: %s", major, minor, got)
	}
	return file
}
