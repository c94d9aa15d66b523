package client

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/containerd/containerd/api/types/runc/options"
	containerd "github.com/containerd/containerd/v2/client"
	"github.com/containerd/containerd/v2/pkg/cio"
	"github.com/containerd/containerd/v2/pkg/oci"
	"github.com/containerd/errdefs"

	"github.com/dhow-containers/dhow/integration"
	"github.com/dhow-containers/dhow/integration/containerd2/host"
)

// criuInPath puts a criu that works here into $PATH, for containerds that are started from then on.
var criuInPath = sync.OnceValue(func() error {
	dir, err := integration.CRIU()
	if err != nil {
		return err
	}
	return os.Setenv("PATH", dir+":"+os.Getenv("PATH"))
})

func needCRIU(t *testing.T) {
	t.Helper()
	if err := criuInPath(); err != nil {
		t.Skip(err)
	}
}

// counting prints numbers that no two of its lives print both.
var counting = []string{"sh", "-c", "i=0; while sleep 0.02; do i=$((i+1)); echo $i; done"}

// awaitNumber waits for a number on a line, and returns the last that is there.
func (f *fixture) awaitNumber(out *buffer, from int) int {
	f.t.Helper()
	last := 0
	host.Await(f.t, "a number of at least "+strconv.Itoa(from), func() bool {
		lines := strings.Fields(out.String())
		if len(lines) > 0 {
			last = number(lines[len(lines)-1])
		}
		return last >= from
	})
	return last
}

// restored makes a container of a checkpoint's image, and its task, which is not started.
func (f *fixture) restored(id string, saved containerd.Image, create cio.Creator) containerd.Task {
	f.t.Helper()
	c, err := f.client.Restore(f.ctx, id, saved, containerd.WithRestoreImage, containerd.WithRestoreSpec, containerd.WithRestoreRuntime, containerd.WithRestoreRW)
	f.must(err)
	task, err := c.NewTask(f.ctx, create, containerd.WithTaskCheckpoint(saved))
	f.must(err)
	return task
}

// TestCheckpoint saves a container into an image, and makes it anew out of that.
func TestCheckpoint(t *testing.T) {
	needCRIU(t)
	under(t, func(f *fixture) {
		task, out := f.start("a", nil, counting...)
		f.awaitNumber(out, 3)
		c, err := f.client.LoadContainer(f.ctx, "a")
		f.must(err)
		saved, err := c.Checkpoint(f.ctx, "saved", containerd.WithCheckpointImage, containerd.WithCheckpointRuntime, containerd.WithCheckpointRW,
			containerd.WithCheckpointTaskExit, containerd.WithCheckpointTask)
		f.must(err)
		if code := f.end(task); code != 137 {
			f.t.Errorf("exit code %d", code)
		}
		f.finish(task)
		last := f.awaitNumber(out, 3)

		var more buffer
		task = f.restored("a", saved, cio.NewCreator(cio.WithStreams(nil, &more, &more)))
		if got := f.status(task); got != containerd.Created || task.Pid() != 0 {
			f.t.Errorf("before its start it is %s, with pid %d", got, task.Pid())
		}
		if _, err := task.Exec(f.ctx, "e", f.processSpec(task, "true"), cio.NullIO); !errdefs.IsFailedPrecondition(err) {
			f.t.Errorf("an exec before the start: %v", err)
		}
		f.must(task.Start(f.ctx))
		f.awaitNumber(&more, last+3)
		if first := number(strings.Fields(more.String())[0]); first > last+1 || first == 1 {
			f.t.Errorf("it went on from %d to %d", last, first)
		}
		if err := task.Start(f.ctx); err == nil {
			f.t.Error("it starts twice")
		}
		p, err := task.Exec(f.ctx, "e", f.processSpec(task, "sh", "-c", "exit 4"), cio.NullIO)
		f.must(err)
		f.must(p.Start(f.ctx))
		if code := f.end(p); code != 4 {
			f.t.Errorf("an exec in it: exit code %d", code)
		}
		if _, err := p.Delete(f.ctx); err != nil {
			f.t.Error(err)
		}
		f.finish(task)
	})
}

// restoreFrom makes a container whose task is restored from a directory.
func (f *fixture) restoreFrom(id, images string) (containerd.Task, *buffer, error) {
	f.t.Helper()
	out := &buffer{}
	task, err := f.restoreOnto(id, images, cio.NewCreator(cio.WithStreams(nil, out, out)))
	return task, out, err
}

func (f *fixture) restoreOnto(id, images string, create cio.Creator) (containerd.Task, error) {
	f.t.Helper()
	task, err := f.container(id, nil, counting...).NewTask(f.ctx, create,
		func(_ context.Context, _ *containerd.Client, info *containerd.TaskInfo) error {
			info.Options = &options.Options{CriuImagePath: images, CriuWorkPath: images + ".log"}
			return nil
		})
	f.must(err)
	return task, task.Start(f.ctx)
}

// TestCheckpointToDirectory leaves the container running, and makes a second one from its image files.
func TestCheckpointToDirectory(t *testing.T) {
	needCRIU(t)
	under(t, func(f *fixture) {
		images := filepath.Join(f.t.TempDir(), "images")
		task, out := f.start("a", nil, counting...)
		last := f.awaitNumber(out, 3)
		_, err := task.Checkpoint(f.ctx, func(i *containerd.CheckpointTaskInfo) error {
			i.Options = &options.CheckpointOptions{ImagePath: images, WorkPath: images + ".log", EmptyNamespaces: []string{"network"}, CgroupsMode: "soft"}
			return nil
		})
		f.must(err)
		if got := f.status(task); got != containerd.Running {
			f.t.Errorf("after the checkpoint it is %s", got)
		}
		f.awaitNumber(out, last+3)
		f.finish(task)
		again, more, err := f.restoreFrom("b", images)
		f.must(err)
		f.awaitNumber(more, last+1)
		f.finish(again)
		for _, log := range []string{"dump.log", "restore.log"} {
			if _, err := os.Stat(filepath.Join(images+".log", log)); err != nil {
				f.t.Error(err)
			}
		}
	})
}

// TestCheckpointStreams restores what had no streams onto some, and the other way round.
func TestCheckpointStreams(t *testing.T) {
	needCRIU(t)
	under(t, func(f *fixture) {
		made := func(task containerd.Task, err error) containerd.Task { f.t.Helper(); f.must(err); return task }
		in, _ := f.pipe()
		some := cio.NewCreator(cio.WithStreams(in, &buffer{}, &buffer{}))
		task := made(f.container("a", nil).NewTask(f.ctx, cio.NullIO))
		f.must(task.Start(f.ctx))
		for i, create := range []cio.Creator{some, cio.NullIO, some} {
			images := filepath.Join(f.t.TempDir(), "images")
			_, err := task.Checkpoint(f.ctx, func(i *containerd.CheckpointTaskInfo) error {
				i.Options = &options.CheckpointOptions{ImagePath: images}
				return nil
			})
			f.must(err)
			f.finish(task)
			task = made(f.restoreOnto("b"+strconv.Itoa(i), images, create))
		}
		f.finish(task)
	})
}

// TestCheckpointTerminal restores a terminal, onto which a client is attached.
func TestCheckpointTerminal(t *testing.T) {
	needCRIU(t)
	under(t, func(f *fixture) {
		c := f.container("a", []oci.SpecOpts{oci.WithTTY}, "sh", "-c", "read word; echo got-$word; read word; echo got-$word")
		create := func(in *os.File, out *buffer) cio.Creator {
			return cio.NewCreator(cio.WithStreams(in, out, nil), cio.WithTerminal)
		}
		typeIn := func(w *os.File, out *buffer, word string) {
			f.t.Helper()
			_, err := w.WriteString(word + "\n")
			f.must(err)
			host.Await(f.t, "an answer", func() bool { return strings.Contains(out.String(), "got-"+word) })
		}
		in, keys := f.pipe()
		var out buffer
		task, err := c.NewTask(f.ctx, create(in, &out))
		f.must(err)
		f.must(task.Start(f.ctx))
		typeIn(keys, &out, "one")
		saved, err := c.Checkpoint(f.ctx, "saved", containerd.WithCheckpointImage, containerd.WithCheckpointRuntime, containerd.WithCheckpointRW,
			containerd.WithCheckpointTaskExit, containerd.WithCheckpointTask)
		f.must(err)
		f.end(task)
		f.finish(task)
		in, keys = f.pipe()
		var more buffer
		task = f.restored("a", saved, create(in, &more))
		f.must(task.Start(f.ctx))
		f.must(task.Resize(f.ctx, 100, 30))
		typeIn(keys, &more, "two")
		if code := f.end(task); code != 0 {
			f.t.Errorf("exit code %d", code)
		}
		f.finish(task)
	})
}

func (f *fixture) pipe() (r, w *os.File) {
	f.t.Helper()
	r, w, err := os.Pipe()
	f.must(err)
	f.t.Cleanup(func() { r.Close(); w.Close() })
	return r, w
}

// talking holds a TCP connection with itself.
var talking = []string{"sh", "-c", "sleep 1000 | busybox nc -l -p 1234 > /dev/null & until busybox nc 127.0.0.1 1234; do sleep 0.1; done"}

// TestCheckpointFails is about what criu cannot do, what it says, and that nothing is lost by it.
func TestCheckpointFails(t *testing.T) {
	needCRIU(t)
	under(t, func(f *fixture) {
		in, _ := f.pipe()
		task, err := f.container("a", nil, talking...).NewTask(f.ctx, cio.NewCreator(cio.WithStreams(in, &buffer{}, &buffer{})))
		f.must(err)
		f.must(task.Start(f.ctx))
		connected := func() bool {
			text, err := readFile("/proc/" + strconv.Itoa(int(task.Pid())) + "/net/tcp")
			return err == nil && strings.Contains(text, ":04D2 01 ") // established
		}
		host.Await(f.t, "a connection", connected)
		with := func(o *options.CheckpointOptions) containerd.CheckpointTaskOpts {
			return func(i *containerd.CheckpointTaskInfo) error { i.Options = o; return nil }
		}
		_, err = task.Checkpoint(f.ctx, with(&options.CheckpointOptions{Exit: true}))
		log := filepath.Join(f.Dir, "state/io.containerd.runtime.v2.task", f.Namespace, "a/criu-dump.log")
		if err == nil || !strings.Contains(err.Error(), log) || !strings.Contains(err.Error(), "TCP") {
			f.t.Errorf("open connections: %v", err)
		}
		if text, err := readFile(log); err != nil || !strings.Contains(text, "Error") {
			f.t.Errorf("criu's log: %v", err)
		}
		if got := f.status(task); got != containerd.Running || !connected() {
			f.t.Errorf("after the failure it is %s", got)
		}
		for _, o := range []*options.CheckpointOptions{{EmptyNamespaces: []string{"ipc"}}, {CgroupsMode: "never"}, {WorkPath: "relative"}} {
			if _, err := task.Checkpoint(f.ctx, with(o)); !errdefs.IsInvalidArgument(err) {
				f.t.Errorf("%v: %v", o, err)
			}
		}
		images := filepath.Join(f.t.TempDir(), "images")
		_, err = task.Checkpoint(f.ctx, with(&options.CheckpointOptions{OpenTcp: true, ImagePath: images}))
		f.must(err)
		f.finish(task)
		in, _ = f.pipe() // the client's end of the connection lasts as long as its input: criu must not find it gone
		again, err := f.restoreOnto("b", images, cio.NewCreator(cio.WithStreams(in, &buffer{}, &buffer{})))
		f.must(err)
		f.finish(again)

		again, _, err = f.restoreFrom("c", f.t.TempDir())
		if err == nil || !strings.Contains(err.Error(), "checkpoint") {
			f.t.Errorf("restored from an empty directory: %v", err)
		}
		wait, err := again.Wait(f.ctx)
		f.must(err)
		if err := again.Kill(f.ctx, syscall.SIGKILL); !errdefs.IsFailedPrecondition(err) {
			f.t.Errorf("a signal for what is not there: %v", err)
		}
		_, err = again.Delete(f.ctx)
		f.must(err)
		<-wait
		c, err := f.client.LoadContainer(f.ctx, "c")
		f.must(err)
		f.must(c.Delete(f.ctx, containerd.WithSnapshotCleanup))
	})
}
