package client

import (
	"context"
	"io"
	"strings"
	"syscall"
	"testing"

	containerd "github.com/containerd/containerd/v2/client"
	"github.com/containerd/containerd/v2/core/containers"
	"github.com/containerd/containerd/v2/pkg/cio"
	"github.com/containerd/containerd/v2/pkg/oci"
	"github.com/containerd/errdefs"
	specs "github.com/opencontainers/runtime-spec/specs-go"

	"github.com/dhow-containers/dhow/integration/containerd2/host"
)

func TestRun(t *testing.T) {
	under(t, func(f *fixture) {
		task, out := f.start("a", nil, "sh", "-c", "echo hello; echo problem >&2; exit 7")
		if code := f.end(task); code != 7 {
			f.t.Errorf("exit code %d", code)
		}
		status, err := task.Delete(f.ctx)
		f.must(err)
		if status.ExitCode() != 7 || status.ExitTime().IsZero() {
			f.t.Errorf("deleted with %d at %v", status.ExitCode(), status.ExitTime())
		}
		if got := out.String(); got != "hello\nproblem\n" && got != "problem\nhello\n" {
			f.t.Errorf("printed %q", got)
		}
		c, err := f.client.LoadContainer(f.ctx, "a")
		f.must(err)
		f.must(c.Delete(f.ctx, containerd.WithSnapshotCleanup))

		c = f.container("b", nil, "no-such-program")
		if _, err := c.NewTask(f.ctx, cio.NullIO); err == nil || !strings.Contains(err.Error(), "executable file not found") {
			f.t.Errorf("a program that does not exist: %v", err)
		}
		f.must(c.Delete(f.ctx, containerd.WithSnapshotCleanup))
	})
}

// status is how containerd sees a process.
func (f *fixture) status(p containerd.Process) containerd.ProcessStatus {
	f.t.Helper()
	s, err := p.Status(f.ctx)
	f.must(err)
	return s.Status
}

func TestLife(t *testing.T) {
	under(t, func(f *fixture) {
		task, err := f.container("a", nil).NewTask(f.ctx, cio.NullIO)
		f.must(err)
		if got := f.status(task); got != containerd.Created {
			f.t.Errorf("after create it is %s", got)
		}
		f.must(task.Start(f.ctx))
		if err := task.Start(f.ctx); err == nil {
			f.t.Error("it starts twice")
		}
		if _, err := task.Delete(f.ctx); !errdefs.IsFailedPrecondition(err) {
			f.t.Errorf("it is deleted while it runs: %v", err)
		}
		f.must(task.Pause(f.ctx))
		if got := f.status(task); got != containerd.Paused {
			f.t.Errorf("after pause it is %s", got)
		}
		f.must(task.Resume(f.ctx))
		f.must(task.Kill(f.ctx, syscall.SIGKILL))
		if code := f.end(task); code != 137 {
			f.t.Errorf("exit code %d", code)
		}
		if err := task.Kill(f.ctx, syscall.SIGKILL); !errdefs.IsNotFound(err) {
			f.t.Errorf("a signal for what has ended: %v", err)
		}
		f.finish(task)
	})
}

// processSpec is that of the container, with other arguments.
func (f *fixture) processSpec(task containerd.Task, args ...string) *specs.Process {
	f.t.Helper()
	spec, err := task.Spec(f.ctx)
	f.must(err)
	spec.Process.Args, spec.Process.Terminal = args, false
	return spec.Process
}

func TestExec(t *testing.T) {
	under(t, func(f *fixture) {
		task, _ := f.start("a", nil)
		var out buffer
		in, client := io.Pipe()
		p, err := task.Exec(f.ctx, "e", f.processSpec(task, "sh", "-c", "cat; exit 3"), cio.NewCreator(cio.WithStreams(in, &out, &out)))
		f.must(err)
		if _, err := task.Exec(f.ctx, "e", f.processSpec(task, "true"), cio.NullIO); !errdefs.IsAlreadyExists(err) {
			f.t.Errorf("an id is given twice: %v", err)
		}
		if err := p.Kill(f.ctx, syscall.SIGTERM); !errdefs.IsFailedPrecondition(err) {
			f.t.Errorf("a signal before the start: %v", err)
		}
		wait, err := p.Wait(f.ctx)
		f.must(err)
		f.must(p.Start(f.ctx))
		pids, err := task.Pids(f.ctx)
		f.must(err)
		if len(pids) != 3 && len(pids) != 2 { // sh, cat, sleep; cat may not be there yet
			f.t.Errorf("processes: %v", pids)
		}
		_, err = io.WriteString(client, "words")
		f.must(err)
		client.Close()
		f.must(p.CloseIO(f.ctx, containerd.WithStdinCloser))
		if status := <-wait; status.ExitCode() != 3 {
			f.t.Errorf("exit code %d, %v", status.ExitCode(), status.Error())
		}
		_, err = p.Delete(f.ctx)
		f.must(err)
		if out.String() != "words" {
			f.t.Errorf("printed %q", out.String())
		}
		if _, err := task.LoadProcess(f.ctx, "e", nil); !errdefs.IsNotFound(err) {
			f.t.Errorf("a process that was deleted: %v", err)
		}
		f.must(task.Kill(f.ctx, syscall.SIGKILL))
		f.end(task)
		p, err = task.Exec(f.ctx, "late", f.processSpec(task, "true"), cio.NullIO)
		if err == nil {
			err = p.Start(f.ctx)
		}
		if err == nil {
			f.t.Error("an exec after the end")
		}
		f.finish(task)
	})
}

func TestTerminal(t *testing.T) {
	under(t, func(f *fixture) {
		task, _ := f.start("a", nil)
		var out buffer
		in, client := io.Pipe()
		spec := f.processSpec(task, "sh", "-c", "read x; stty size; echo got $x; exit 4")
		spec.Terminal = true
		p, err := task.Exec(f.ctx, "e", spec, cio.NewCreator(cio.WithStreams(in, &out, nil), cio.WithTerminal))
		f.must(err)
		wait, err := p.Wait(f.ctx)
		f.must(err)
		f.must(p.Start(f.ctx))
		f.must(p.Resize(f.ctx, 77, 22))
		_, err = io.WriteString(client, "words\n")
		f.must(err)
		if status := <-wait; status.ExitCode() != 4 {
			f.t.Errorf("exit code %d, %v", status.ExitCode(), status.Error())
		}
		client.Close()
		_, err = p.Delete(f.ctx)
		f.must(err)
		for _, want := range []string{"22 77", "got words"} {
			if !strings.Contains(out.String(), want) {
				f.t.Errorf("no %q in %q", want, out.String())
			}
		}
		f.finish(task)
	})
}

// TestAttach has a client go away and another come.
func TestAttach(t *testing.T) {
	under(t, func(f *fixture) {
		task, out := f.start("a", nil, "sh", "-c", "echo first; until [ -e /go ]; do sleep 0.05; done; echo last")
		host.Await(f.t, "the first line", func() bool { return out.String() == "first\n" })
		task.IO().Cancel()
		task.IO().Wait()
		f.connect()
		c, err := f.client.LoadContainer(f.ctx, "a")
		f.must(err)
		var again buffer
		task, err = c.Task(f.ctx, cio.NewAttach(cio.WithStreams(nil, &again, &again)))
		f.must(err)
		p, err := task.Exec(f.ctx, "e", f.processSpec(task, "touch", "/go"), cio.NullIO)
		f.must(err)
		f.must(p.Start(f.ctx))
		f.end(task)
		host.Await(f.t, "the last line", func() bool { return again.String() == "last\n" })
		_, err = p.Delete(f.ctx)
		f.must(err)
		f.finish(task)
	})
}

func TestOptions(t *testing.T) {
	under(t, func(f *fixture) {
		limit := oci.WithMemoryLimit(64 << 20)
		ns := func(_ context.Context, _ oci.Client, _ *containers.Container, s *oci.Spec) error {
			s.Hostname = "from-client"
			return nil
		}
		task, out := f.start("a", []oci.SpecOpts{limit, ns, oci.WithUserID(1000)}, "sh", "-c", "id -u; hostname")
		code := f.end(task)
		f.finish(task) // and its output
		if code != 0 || out.String() != "1000\nfrom-client\n" {
			f.t.Errorf("exit code %d, printed %q", code, out.String())
		}
	})
}
