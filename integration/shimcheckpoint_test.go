package integration

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/shim/api"
	"github.com/dhow-containers/dhow/shim/ttrpc"
	"github.com/dhow-containers/dhow/shim/wire"
)

// newShimCRIU is a shim that is told where a criu is that works here. What that runs by its name it does not find.
func newShimCRIU(t *testing.T) *shimDirect {
	t.Helper()
	dir, err := criuOnce()
	if err != nil {
		skip(t, err.Error())
	}
	return newShimDirectWith(t, startup{options: &api.Options{CriuPath: filepath.Join(dir, "criu")}}, sleeps)
}

// checkpoint saves the container's processes in a directory.
func (s *shimDirect) checkpoint(images string, exit bool) {
	s.t.Helper()
	s.must("Checkpoint", func(e *wire.Encoder) {
		e.String(1, s.id)
		e.String(2, images)
		e.Message(3, wire.Pack("containerd.runc.v1.CheckpointOptions", wire.Func(func(e *wire.Encoder) { e.Bool(1, exit) })))
	})
}

// TestShimCheckpoint saves a container that ends then, makes it again, and kills that one's shim.
func TestShimCheckpoint(t *testing.T) {
	s, images := newShimCRIU(t), filepath.Join(t.TempDir(), "images")
	from := func(e *wire.Encoder) { e.String(8, images) }
	s.create("")
	s.fails("Checkpoint", s.target(""), ttrpc.FailedPrecondition) // it does not run
	s.must("Start", s.target(""))
	s.checkpoint(images, false)
	if got := s.state(""); got != 2 {
		t.Errorf("state %d after a checkpoint", got)
	}
	must(t, os.RemoveAll(images))
	s.checkpoint(images, true)
	if got := s.wait(""); got != 137 {
		t.Errorf("exit status %d", got)
	}
	for _, method := range []string{"Pause", "Resume", "Update", "Checkpoint"} {
		s.fails(method, s.target(""), ttrpc.FailedPrecondition)
	}
	s.must("Delete", s.target(""))
	if exists(filepath.Join(s.bundle.Dir, "work", "criu-work")) {
		t.Error("criu's directory is still there")
	}

	s.create("", from)
	if _, init := s.pids(); init != 0 || s.state("") != 1 {
		t.Errorf("there is a process %d before the start, the state is %d", init, s.state(""))
	}
	for _, method := range []string{"Pause", "Resume", "Update", "Checkpoint"} {
		s.fails(method, s.target(""), ttrpc.FailedPrecondition)
	}
	s.fails("Exec", s.target("e"), ttrpc.FailedPrecondition)
	s.fails("Kill", s.kill("", unix.SIGKILL), ttrpc.FailedPrecondition)
	s.must("Delete", s.target("")) // never started

	s.create("", from)
	s.must("Start", s.target(""))
	s.fails("Start", s.target(""), ttrpc.FailedPrecondition)
	s.exec("e", "sh", "-c", "exit 3")
	s.must("Start", s.target("e"))
	if got := s.wait("e"); got != 3 {
		t.Errorf("exit status %d of an exec in what was restored", got)
	}
	s.expect("create", "start", "exit=137", "delete", "create", "delete", "create", "start", "exec-added:e", "exec-started:e", "exit:e=3")
	shim, init := s.pids()
	must(t, unix.Kill(shim, unix.SIGKILL))
	await(t, "the shim's end", func() bool { return ended(shim) })
	s.shim("delete")
	if !ended(init) {
		t.Errorf("process %d is still there", init)
	}
}

// TestShimRestoreFails leaves a container that can be started when what was wrong is mended, and removed.
func TestShimRestoreFails(t *testing.T) {
	s, images := newShimCRIU(t), filepath.Join(t.TempDir(), "images")
	s.create("")
	s.must("Start", s.target(""))
	s.checkpoint(images, true)
	s.wait("")
	s.must("Delete", s.target(""))
	s.create("", func(e *wire.Encoder) { e.String(8, images) })
	must(t, os.Rename(images, images+".away"))
	if err := s.call("Start", s.target(""), nil); err == nil || !strings.Contains(err.Error(), images) {
		t.Errorf("restored from nothing: %v", err)
	}
	must(t, os.Rename(images+".away", images))
	must(t, os.Truncate(filepath.Join(images, "pstree.img"), 0))
	if err := s.call("Start", s.target(""), nil); err == nil || !strings.Contains(err.Error(), "restore.log") {
		t.Errorf("restored from broken images: %v", err)
	}
	if got := s.state(""); got != 1 {
		t.Errorf("state %d", got)
	}
	s.must("Delete", s.target(""))
	s.expect("create", "start", "exit=137", "delete", "create", "delete")
}

// TestShimCriuPath has criu looked for where the options say, and nowhere else.
func TestShimCriuPath(t *testing.T) {
	s := newShimDirectWith(t, startup{options: &api.Options{CriuPath: "/nonexistent/criu"}}, sleeps)
	s.create("")
	s.must("Start", s.target(""))
	err := s.call("Checkpoint", func(e *wire.Encoder) { e.String(1, s.id); e.String(2, t.TempDir()) }, nil)
	if err == nil || !strings.Contains(err.Error(), "/nonexistent/criu") {
		t.Errorf("got %v", err)
	}
	err = s.call("Checkpoint", func(e *wire.Encoder) {
		e.String(1, s.id)
		e.Message(3, wire.Pack("containerd.runc.v1.CheckpointOptions", wire.Func(func(e *wire.Encoder) { e.Bool(77, true) })))
	}, nil)
	if err == nil || !strings.Contains(err.Error(), "unknown field 77") {
		t.Errorf("an unknown option: %v", err)
	}
}
