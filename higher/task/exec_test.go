package task_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/containerd/errdefs"
	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/higher/task"
)

// exec makes a process that runs a shell script.
func (c *container) exec(id, script string, terminal bool) *task.Process {
	c.w.Helper()
	p, err := c.Exec(c.w.Context(), task.ExecOptions{ID: id, Terminal: terminal, Stdin: true, Process: &specs.Process{
		Args: []string{"sh", "-c", script}, Cwd: "/", Env: []string{"PATH=/bin"}}})
	c.w.must(err)
	return p
}

func TestExec(t *testing.T) {
	w := newWorld(t)
	c := w.create("sleep 1000", nil, nil)
	c.start()
	p := c.exec("e1", "cat; echo err >&2; exit 4", false)
	client, server := w.client()
	a, err := p.Attach(t.Context(), everything, server)
	w.must(err)
	server.Close()
	w.must(p.Start(t.Context()))
	if again, err := c.Process(t.Context(), "e1"); err != nil || again.Pid() != p.Pid() || p.Pid() == 0 {
		t.Errorf("got %v, %v", again, err)
	}
	fmt.Fprintln(client, "in")
	w.must(client.CloseWrite())
	if got := streams(t, client); got[1] != "in\n" || got[2] != "err\n" {
		t.Errorf("got %q", got)
	}
	if detached, err := a.Wait(t.Context()); detached || err != nil {
		t.Errorf("got %v, %v", detached, err)
	}
	if exit, err := p.Wait(t.Context()); err != nil || exit.Status != 4 {
		t.Errorf("got %+v, %v", exit, err)
	}
	if exit, err := p.Delete(t.Context()); err != nil || exit.Status != 4 {
		t.Errorf("got %+v, %v", exit, err)
	}
	if _, err := c.Process(t.Context(), "e1"); !errdefs.IsNotFound(err) {
		t.Errorf("got %v", err)
	}
	if got := c.logged(); got != "" {
		t.Errorf("logged %q", got)
	}
}

func TestExecTerminal(t *testing.T) {
	w := newWorld(t)
	c := w.create("sleep 1000", nil, nil)
	c.start()
	p := c.exec("e1", "stty -echo; echo ready; read x; stty size; sleep 1000", true)
	client, server := w.client()
	a, err := p.Attach(t.Context(), everything, server)
	w.must(err)
	server.Close()
	w.must(p.Start(t.Context()))
	expect(t, client, "ready\r\n")
	w.must(p.Resize(t.Context(), 10, 20))
	fmt.Fprintln(client)
	expect(t, client, "20 10\r\n")
	client.Write([]byte{16, 17})
	if detached, err := a.Wait(t.Context()); !detached || err != nil {
		t.Errorf("got %v, %v", detached, err)
	}
	w.must(p.Kill(t.Context(), unix.SIGKILL))
	if exit, err := p.Wait(t.Context()); err != nil || exit.Status != 137 {
		t.Errorf("got %+v, %v", exit, err)
	}
}

// TestExecFails tells the client why, and of the end, and leaves the container alone.
func TestExecFails(t *testing.T) {
	w := newWorld(t)
	c := w.create("sleep 1000", nil, nil)
	c.start()
	p, err := c.Exec(t.Context(), task.ExecOptions{ID: "e1", Process: &specs.Process{Args: []string{"no-such-program"}, Cwd: "/"}})
	w.must(err)
	client, server := w.client()
	_, err = p.Attach(t.Context(), everything, server)
	w.must(err)
	server.Close()
	if err := p.Start(t.Context()); err == nil {
		t.Error("no error")
	}
	if got := streams(t, client); !strings.Contains(got[1], "executable file not found in $PATH\r\n") {
		t.Errorf("got %q", got)
	}
	if _, err := p.Delete(t.Context()); err != nil {
		t.Error(err)
	}
	never := c.exec("e2", "true", false)
	if _, err := never.Delete(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestExecsAtOnce runs many.
func TestExecsAtOnce(t *testing.T) {
	w := newWorld(t)
	c := w.create("sleep 1000", nil, nil)
	c.start()
	results := make(chan error)
	for i := range 30 {
		p := c.exec(fmt.Sprint(i), fmt.Sprintf("echo %d; exit %d", i, i), false)
		client, server := w.client()
		_, err := p.Attach(t.Context(), everything, server)
		w.must(err)
		server.Close()
		go func() {
			if err := p.Start(t.Context()); err != nil {
				results <- err
				return
			}
			exit, err := p.Wait(t.Context())
			if got := streams(t, client); err == nil && (got[1] != fmt.Sprintln(i) || int(exit.Status) != i) {
				err = fmt.Errorf("exec %d: got %q, status %d", i, got, exit.Status)
			}
			results <- err
		}()
	}
	for range 30 {
		if err := <-results; err != nil {
			t.Error(err)
		}
	}
}
