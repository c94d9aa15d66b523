package task_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/higher/task"
	"github.com/dhow-containers/dhow/spec"
)

// shim is the program, built once.
var shim = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "dhow-task-test")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "containerd-shim-dhow-v2")
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", path, "../../shim/cmd/containerd-shim-dhow-v2")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return path, nil
})

func TestMain(m *testing.M) {
	if text := os.Getenv(daemonEnv); text != "" {
		fmt.Fprintln(os.Stderr, runDaemon(text))
		os.Exit(1)
	}
	code := m.Run()
	for _, pattern := range []string{"/sys/fs/cgroup/*", "/sys/fs/cgroup"} {
		dirs, _ := filepath.Glob(pattern + groups)
		for _, dir := range dirs {
			os.Remove(dir) // not a directory of containers that are left: those would keep it
		}
	}
	if path, err := shim(); err == nil {
		os.RemoveAll(filepath.Dir(path))
	}
	os.Exit(code)
}

// groups has the control groups of all containers.
var groups = fmt.Sprintf("/dhow-task-test-%d", os.Getpid())

const busybox = "/bin/busybox"

// world is a manager with directories of its own.
type world struct {
	testing.TB
	*task.Manager
	options task.Options
	dir     string
	n       atomic.Int32
}

func newWorld(t testing.TB) *world {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	if _, err := os.Stat(busybox); err != nil {
		t.Skip("needs busybox-static")
	}
	path, err := shim()
	if err != nil {
		t.Fatal(err)
	}
	// Longer than the path of a socket may be.
	dir := filepath.Join(t.TempDir(), strings.Repeat("long", 20))
	w := &world{TB: t, dir: dir}
	w.options = task.Options{Shim: path, Root: filepath.Join(dir, "containers"), RuntimeRoot: filepath.Join(dir, "runtime")}
	w.Manager = task.New(w.options)
	return w
}

// container is one that the test has made.
type container struct {
	*task.Task
	w      *world
	id     string
	bundle string
	log    string
}

// bundle makes the bundle of a container that runs a shell script.
func (w *world) bundle(id, script string, edit func(*specs.Spec)) string {
	w.Helper()
	dir := filepath.Join(w.dir, "containers", id)
	rootfs := filepath.Join(dir, "rootfs")
	for _, d := range []string{"bin", "dev", "proc", "sys", "tmp"} {
		w.must(os.MkdirAll(filepath.Join(rootfs, d), 0o755))
	}
	data, err := os.ReadFile(busybox)
	w.must(err)
	w.must(os.WriteFile(filepath.Join(rootfs, "bin/busybox"), data, 0o755))
	for _, name := range strings.Fields("sh cat seq sleep head tail dd yes stty true wc") {
		w.must(os.Symlink("busybox", filepath.Join(rootfs, "bin", name)))
	}
	s := spec.Default()
	s.Process.Args = []string{"sh", "-c", script}
	s.Process.Terminal = false
	s.Linux.CgroupsPath = groups + "/" + filepath.Base(filepath.Dir(w.dir)) + "-" + id
	if edit != nil {
		edit(s)
	}
	text, err := json.Marshal(s)
	w.must(err)
	w.must(os.WriteFile(filepath.Join(dir, "config.json"), text, 0o600))
	return dir
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// create makes a container; o may be nil.
func (w *world) create(script string, change func(*task.CreateOptions), edit func(*specs.Spec)) *container {
	w.Helper()
	id := fmt.Sprintf("c%d", w.n.Add(1))
	o := task.CreateOptions{ID: id, Bundle: w.bundle(id, script, edit), Log: task.LogConfig{Path: filepath.Join(w.dir, "logs", id, id+"-json.log")}}
	if change != nil {
		change(&o)
	}
	t, err := w.Create(w.Context(), o)
	w.must(err)
	c := &container{Task: t, w: w, id: id, bundle: o.Bundle, log: o.Log.Path}
	w.Cleanup(c.remove)
	return c
}

// remove removes what the test has left.
func (c *container) remove() {
	ctx := context.Background()
	_ = c.Kill(ctx, unix.SIGKILL, true)
	_, _ = c.Wait(ctx)
	if _, err := c.Delete(ctx); err != nil {
		if _, err := c.w.Clean(ctx, c.id, c.bundle); err != nil {
			c.w.Errorf("%s: %v", c.id, err)
		}
	}
}

func (c *container) start() {
	c.w.Helper()
	c.w.must(c.Start(c.w.Context()))
}

// ends waits for the container and returns its status.
func (c *container) ends() task.Exit {
	c.w.Helper()
	ctx, cancel := context.WithTimeout(c.w.Context(), 60*time.Second)
	defer cancel()
	exit, err := c.Wait(ctx)
	c.w.must(err)
	return exit
}

// logged is what a json-file log has, of both streams.
func (c *container) logged() string {
	c.w.Helper()
	data, err := os.ReadFile(c.log)
	c.w.must(err)
	var text strings.Builder
	for d := json.NewDecoder(bytes.NewReader(data)); ; {
		var line struct{ Log string }
		if err := d.Decode(&line); errors.Is(err, io.EOF) {
			return text.String()
		} else if err != nil {
			c.w.Fatal(err)
		}
		text.WriteString(line.Log)
	}
}

// client is the side of a client whose connection the shim has got.
func (w *world) client() (client, server *net.UnixConn) {
	w.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	w.must(err)
	var ends [2]*net.UnixConn
	for i := range ends {
		f := os.NewFile(uintptr(fds[i]), "pair")
		c, err := net.FileConn(f)
		w.must(err)
		f.Close()
		ends[i] = c.(*net.UnixConn)
	}
	w.Cleanup(func() { ends[0].Close(); ends[1].Close() })
	return ends[0], ends[1]
}

// shims are the pids of the shims of this world.
func (w *world) shims() (pids []string) {
	w.Helper()
	all, err := filepath.Glob("/proc/[0-9]*/cwd")
	w.must(err)
	for _, cwd := range all {
		pid := filepath.Base(filepath.Dir(cwd))
		exe, _ := os.Readlink(filepath.Join("/proc", pid, "exe")) // it may be gone
		if dir, _ := os.Readlink(cwd); strings.HasPrefix(dir, w.dir) && strings.HasSuffix(exe, "containerd-shim-dhow-v2") {
			pids = append(pids, pid)
		}
	}
	return pids
}

// argument is the value of a flag of a process.
func (w *world) argument(pid, flag string) string {
	text, _ := os.ReadFile(filepath.Join("/proc", pid, "cmdline"))
	args := strings.Split(string(text), "\x00")
	for i, a := range args[:len(args)-1] {
		if a == flag {
			return args[i+1]
		}
	}
	return ""
}

// zombie says whether nothing of a process is left but its status.
func zombie(pid int) bool {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	_, rest, _ := bytes.Cut(text, []byte(") "))
	return bytes.HasPrefix(rest, []byte("Z"))
}
