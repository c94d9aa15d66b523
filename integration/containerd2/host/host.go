package host

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dhow-containers/dhow/integration"
)

// Patience is how long something may take that takes no time on an idle machine.
const Patience = 30 * time.Second

// Image is the name of the image that Archive gives: busybox, which runs `sleep`.
const Image = "docker.io/library/bb:latest"

// Host is a containerd, and what its containers are called on the host.
type Host struct {
	*integration.Containerd
	t *testing.T
}

var count atomic.Int32

// runtimePath is the directory of our programs, which are built first.
var runtimePath = sync.OnceValues(integration.RuntimePath)

// Programs of a containerd: those of Debian's package, or of this module.
type Programs struct {
	Name, Dir string
	New       bool // 2.x
}

// Both are the containerds that tests run under.
func Both(t *testing.T) []Programs {
	t.Helper()
	return []Programs{{Name: "containerd-1", Dir: "/usr/bin"}, Two(t)}
}

// Two is containerd 2.
func Two(t *testing.T) Programs {
	t.Helper()
	dir, err := integration.Containerd2Programs()
	if err != nil {
		t.Fatal(err)
	}
	return Programs{Name: "containerd-2", Dir: dir, New: true}
}

// Start starts a containerd with a config (integration.NewContainerdWith), in whose namespace the containers will be, and looks, at
// the end of the test, for what may be left of them. An empty namespace stands for one that nobody else has. prepare may put more into its directory.
func Start(t *testing.T, p Programs, namespace, config string, prepare ...func(dir string)) *Host {
	t.Helper()
	runtime, err := runtimePath()
	must(t, err)
	dir, err := os.MkdirTemp("", "dhowcd")
	must(t, err)
	t.Cleanup(func() { must(t, os.RemoveAll(dir)) })
	if namespace == "" {
		namespace = fmt.Sprintf("dhowtest-%d-%d", os.Getpid(), count.Add(1))
	}
	for _, f := range prepare {
		f(dir)
	}
	h := &Host{t: t}
	t.Cleanup(func() { h.checkNothingLeft(dir, namespace) })
	h.Containerd, err = integration.NewContainerdWith(dir, namespace, filepath.Dir(runtime), p.Dir, config)
	must(t, err)
	t.Cleanup(h.Close)
	return h
}

// checkNothingLeft is for shims of all kinds.
func (h *Host) checkNothingLeft(dir, namespace string) {
	Await(h.t, "the shims to end", func() bool { return len(Shims(dir)) == 0 })
	var left []string
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	must(h.t, err)
	for line := range strings.Lines(string(mounts)) {
		if strings.Contains(line, " "+dir) {
			left = append(left, strings.TrimSpace(line))
		}
	}
	for _, pattern := range []string{"/run/containerd/dhow/" + namespace + "/[^@]*", "/run/containerd/runc/" + namespace + "/*",
		dir + "/state/io.containerd.runtime.v2.task/" + namespace + "/*", "/sys/fs/cgroup/*/" + namespace + "/*/", "/sys/fs/cgroup/" + namespace + "/*/"} {
		found, _ := filepath.Glob(pattern)
		left = append(left, found...)
	}
	if len(left) > 0 {
		h.t.Errorf("left behind:\n  %s", strings.Join(left, "\n  "))
	}
	for _, pattern := range []string{"/sys/fs/cgroup/*/" + namespace, "/sys/fs/cgroup/" + namespace} {
		groups, _ := filepath.Glob(pattern)
		for _, g := range groups {
			_ = os.Remove(g) // made by containerd's spec above the containers'
		}
	}
}

// Shims are the shims, with their command lines, of the containerd whose directory is dir.
func Shims(dir string) (found []string) {
	files, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, file := range files {
		data, err := os.ReadFile(file)
		line := strings.ReplaceAll(string(data), "\x00", " ")
		if program, _, _ := strings.Cut(line, " "); err == nil && strings.Contains(program, "containerd-shim-") && strings.Contains(line, " "+dir+"/") {
			found = append(found, filepath.Base(filepath.Dir(file))+" "+line)
		}
	}
	return found
}

// Archive makes the archive of an image of busybox.
func Archive(t *testing.T, name string, command ...string) string {
	t.Helper()
	dir := t.TempDir()
	bundle, err := integration.NewBundle(dir)
	must(t, err)
	path := filepath.Join(dir, "image.tar")
	must(t, integration.ImageArchive(path, name, bundle.Rootfs(), command...))
	return path
}

// Await waits for what must come true.
func Await(t *testing.T, what string, f func() bool) {
	t.Helper()
	for end := time.Now().Add(Patience); !f(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited %v for %s", Patience, what)
		}
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
