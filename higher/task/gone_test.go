package task_test

import (
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/containerd/errdefs"
	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/higher/task"
)

// shim is the pid of the container's shim, which is a child of this process.
func (c *container) shim() string {
	c.w.Helper()
	for _, pid := range c.w.shims() {
		if strings.HasSuffix(c.w.argument(pid, "-id"), c.id) {
			return pid
		}
	}
	c.w.Fatal("no shim")
	return ""
}

// killShim ends the shim, and returns when it has.
func (c *container) killShim() {
	c.w.Helper()
	pid, err := strconv.Atoi(c.shim())
	c.w.must(err)
	w := make(chan error)
	go func() { _, err := c.Wait(c.w.Context()); w <- err }()
	c.w.must(unix.Kill(pid, unix.SIGKILL))
	if err := <-w; !errdefs.IsUnavailable(err) {
		c.w.Errorf("wait: got %v", err)
	}
}

// TestShimKilled cleans up after a shim that was killed while its container ran: 137, and nothing left.
func TestShimKilled(t *testing.T) {
	w := newWorld(t)
	c := w.create("sleep 1000", nil, nil)
	c.start()
	init := c.Pid()
	c.killShim()
	if _, err := w.Load(t.Context(), c.id, c.bundle); !errdefs.IsNotFound(err) {
		t.Errorf("load: got %v", err)
	}
	for range 2 {
		if exit, err := w.Clean(t.Context(), c.id, c.bundle); err != nil || exit.Status != 137 {
			t.Errorf("got %+v, %v", exit, err)
		}
	}
	if err := unix.Kill(init, 0); err != unix.ESRCH && !zombie(init) {
		t.Errorf("the init is there: %v", err)
	}
	if left, _ := filepath.Glob(filepath.Join(c.bundle, "*.sock")); len(left) > 0 {
		t.Errorf("left %v", left)
	}
}

// TestExitKnown has a container end before its shim is killed: how it ended is known.
func TestExitKnown(t *testing.T) {
	w := newWorld(t)
	c := w.create("exit 7", nil, nil)
	c.start()
	c.ends()
	pid, _ := strconv.Atoi(c.shim())
	w.must(unix.Kill(pid, unix.SIGKILL))
	if _, err := c.Delete(t.Context()); !errdefs.IsUnavailable(err) {
		t.Errorf("got %v", err)
	}
	if exit, err := w.Clean(t.Context(), c.id, c.bundle); err != nil || exit.Status != 7 || exit.At.IsZero() {
		t.Errorf("got %+v, %v", exit, err)
	}
}

// TestLoad finds a container again as a daemon does that was started anew, and learns of an end in between.
func TestLoad(t *testing.T) {
	w := newWorld(t)
	c := w.create("read x; exit $x", func(o *task.CreateOptions) { o.Stdin = true }, nil)
	c.start()
	again, err := w.Load(t.Context(), c.id, c.bundle)
	w.must(err)
	if again.Pid() != c.Pid() {
		t.Errorf("pid %d, want %d", again.Pid(), c.Pid())
	}
	if _, err := w.Clean(t.Context(), c.id, c.bundle); !errdefs.IsFailedPrecondition(err) {
		t.Errorf("clean: got %v", err)
	}
	client, server := w.client()
	_, err = again.Attach(t.Context(), task.AttachOptions{Stdin: true}, server)
	w.must(err)
	if _, err := client.Write([]byte("5\n")); err != nil {
		t.Error(err)
	}
	c.ends()
	if again, err = w.Load(t.Context(), c.id, c.bundle); err != nil {
		t.Fatal(err)
	}
	if exit, err := again.Wait(t.Context()); err != nil || exit.Status != 5 {
		t.Errorf("got %+v, %v", exit, err)
	}
	if exit, err := again.Delete(t.Context()); err != nil || exit.Status != 5 {
		t.Errorf("got %+v, %v", exit, err)
	}
}
