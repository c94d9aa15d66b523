package task_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/containerd/errdefs"
	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/higher/task"
)

func TestLife(t *testing.T) {
	w := newWorld(t)
	c := w.create("echo out; echo err >&2; exit 3", nil, nil)
	if c.Pid() == 0 {
		t.Error("no pid")
	}
	c.start()
	if exit := c.ends(); exit.Status != 3 || exit.OOMKilled || time.Since(exit.At) > time.Minute {
		t.Errorf("got %+v", exit)
	}
	if got := c.logged(); got != "out\nerr\n" && got != "err\nout\n" {
		t.Errorf("logged %q", got)
	}
	exit, err := c.Delete(t.Context())
	if err != nil || exit.Status != 3 {
		t.Errorf("got %+v, %v", exit, err)
	}
	left, err := filepath.Glob(filepath.Join(c.bundle, "*.sock"))
	if err != nil || len(left) > 0 {
		t.Errorf("left %v, %v", left, err)
	}
	if n := len(children(t)); n > 0 {
		t.Errorf("%d children", n)
	}
}

// children are this process's.
func children(t *testing.T) []string {
	t.Helper()
	tasks, err := filepath.Glob("/proc/self/task/*/children")
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, path := range tasks {
		text, _ := os.ReadFile(path) // of a thread that may have ended
		all = append(all, strings.Fields(string(text))...)
	}
	return all
}

// TestAgain runs a second container in the bundle of the first.
func TestAgain(t *testing.T) {
	w := newWorld(t)
	id, bundle := "again", w.bundle("again", "echo once more", nil)
	log := filepath.Join(w.dir, "again.log")
	for range 3 {
		task, err := w.Create(t.Context(), task.CreateOptions{ID: id, Bundle: bundle, Log: task.LogConfig{Path: log}})
		w.must(err)
		w.must(task.Start(t.Context()))
		_, err = task.Wait(t.Context())
		w.must(err)
		_, err = task.Delete(t.Context())
		w.must(err)
	}
	if got := (&container{w: w, log: log}).logged(); got != strings.Repeat("once more\n", 3) {
		t.Errorf("got %q", got)
	}
}

// TestFailedCreate leaves nothing, and says why.
func TestFailedCreate(t *testing.T) {
	w := newWorld(t)
	bundle := w.bundle("bad", "", func(s *specs.Spec) { s.Process.Args = []string{"no-such-program"} })
	task, err := w.Create(t.Context(), task.CreateOptions{ID: "bad", Bundle: bundle, Log: task.LogConfig{Path: filepath.Join(w.dir, "log")}})
	if err == nil {
		err = task.Start(t.Context())
	}
	if err == nil || !strings.Contains(err.Error(), "executable file not found in $PATH") {
		t.Errorf("got %v", err)
	}
	bundle = w.bundle("worse", "", func(s *specs.Spec) {
		s.Mounts = append(s.Mounts, specs.Mount{Destination: "/x", Type: "nofs", Source: "x"})
	})
	if _, err = w.Create(t.Context(), createIn(w, "worse", bundle)); err == nil || !strings.Contains(err.Error(), "nofs") {
		t.Errorf("got %v", err)
	}
	names, _ := os.ReadDir(bundle)
	for _, e := range names {
		if e.Name() != "config.json" && e.Name() != "rootfs" {
			t.Errorf("left %s", e.Name())
		}
	}
	if _, err := w.Load(t.Context(), "worse", bundle); !errdefs.IsNotFound(err) {
		t.Errorf("load: got %v", err)
	}
}

func createIn(w *world, id, bundle string) task.CreateOptions {
	return task.CreateOptions{ID: id, Bundle: bundle, Log: task.LogConfig{Path: filepath.Join(w.dir, "logs", id)}}
}

// TestNoShim has a program in the shim's place that ends at once.
func TestNoShim(t *testing.T) {
	w := newWorld(t)
	m := task.New(task.Options{Shim: "/bin/false", Root: w.dir, RuntimeRoot: filepath.Join(w.dir, "runtime")})
	bundle := w.bundle("none", "true", nil)
	if _, err := m.Create(t.Context(), createIn(w, "none", bundle)); !errdefs.IsUnavailable(err) {
		t.Errorf("got %v", err)
	}
	if n := len(children(t)); n > 0 {
		t.Errorf("%d children", n)
	}
}

// TestControl pauses, updates, counts, kills.
func TestControl(t *testing.T) {
	w := newWorld(t)
	c := w.create("sleep 100 & wait", nil, nil)
	c.start()
	ctx := t.Context()
	w.must(c.Pause(ctx))
	w.must(c.Resume(ctx))
	for pids, err := c.Pids(ctx); len(pids) != 2; pids, err = c.Pids(ctx) { // until the shell has made its child
		w.must(err)
	}
	stats, err := c.Stats(ctx)
	w.must(err)
	if stats.Pids.Current != 2 || stats.Memory.Usage.Current == 0 {
		t.Errorf("got %+v", stats)
	}
	limit := int64(64 << 20)
	w.must(c.Update(ctx, &specs.LinuxResources{Memory: &specs.LinuxMemory{Limit: &limit}}))
	if stats, err = c.Stats(ctx); err != nil || stats.Memory.Usage.Limit != uint64(limit) {
		t.Errorf("got %+v, %v", stats, err)
	}
	w.must(c.Kill(ctx, unix.SIGKILL, false))
	if exit := c.ends(); exit.Status != 137 {
		t.Errorf("got %+v", exit)
	}
	if err := c.Kill(ctx, unix.SIGTERM, false); !errdefs.IsNotFound(err) {
		t.Errorf("got %v", err)
	}
}

// TestOOM has the kernel kill for want of memory: that is told while the container runs, and with its end.
func TestOOM(t *testing.T) {
	w := newWorld(t)
	limit := int64(16 << 20)
	c := w.create("read go; head -c 100m /dev/zero | tail; read end", func(o *task.CreateOptions) { o.Stdin = true }, func(s *specs.Spec) {
		s.Linux.Resources = &specs.LinuxResources{Memory: &specs.LinuxMemory{Limit: &limit, Swap: &limit}}
	})
	client, server := w.client()
	_, err := c.Attach(t.Context(), task.AttachOptions{Stdin: true}, server)
	w.must(err)
	server.Close()
	ooms := c.OOM()
	c.start()
	if c.OOMKilled(t.Context()) {
		t.Error("too early")
	}
	fmt.Fprintln(client, "go")
	if _, ok := <-ooms; !ok || !c.OOMKilled(t.Context()) {
		t.Error("not told")
	}
	fmt.Fprintln(client, "end")
	if exit := c.ends(); !exit.OOMKilled {
		t.Errorf("got %+v", exit)
	}
	for range ooms { // until it is closed
	}
}

// TestScore has the kernel choose a shim rather than the daemon.
func TestScore(t *testing.T) {
	w := newWorld(t)
	c := w.create("true", nil, nil)
	score := func(pid string) string {
		text, err := os.ReadFile(filepath.Join("/proc", pid, "oom_score_adj"))
		w.must(err)
		return strings.TrimSpace(string(text))
	}
	var ours, its int
	fmt.Sscan(score("self"), &ours)
	fmt.Sscan(score(c.shim()), &its)
	if its != min(ours+1, 1000) {
		t.Errorf("got %d, ours is %d", its, ours)
	}
}
