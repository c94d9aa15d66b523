package task

import (
	"context"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/shim/api"
	"github.com/dhow-containers/dhow/spec"
)

// drainLimit is how long the report of an exit may wait for its output to be taken, and again Delete.
const drainLimit = 10 * time.Second

// execExited reports the end of an exec.
func (s *Service) execExited(p *process, exit api.Exit) {
	p.op.Lock()
	defer p.op.Unlock()
	s.report(p, exit)
	p.task.finish()
}

// initExited reports the end of a container's init, when that of all its execs has been.
func (s *Service) initExited(t *task, exit api.Exit) {
	p := t.init
	p.op.Lock()
	defer p.op.Unlock()
	t.mu.Lock()
	t.over = true
	t.mu.Unlock()
	t.die()
	if sharesPIDs(t.runtime, t.id) { // the kernel has not ended the others
		if err := t.runtime.Kill(t.id, unix.SIGKILL, true); !isNotFound(err) { // a checkpoint has removed the container
			s.warn("cannot kill what a container's init has left", err)
		}
	}
	t.mu.Lock()
	for t.active > 0 {
		t.idle.Wait()
	}
	t.mu.Unlock()
	t.oom.stop()
	kills, _ := t.oomKills()
	exit.OOMKilled = kills > 0
	s.warn("cannot keep an exit status for later", writeExit(t.bundle, exit))
	s.report(p, exit)
}

// report tells of an exit, once its output is out.
func (s *Service) report(p *process, exit api.Exit) {
	ctx, cancel := context.WithTimeout(context.Background(), drainLimit)
	defer cancel()
	p.streams.Drain(ctx)
	p.end(exit, api.Stopped)
	s.events.Publish(&api.TaskExit{ContainerID: p.task.id, ID: p.eventID(), Pid: uint32(p.pid), Exit: exit})
}

// sharesPIDs says whether a container's processes may outlive its init, because the pid namespace is not its own.
func sharesPIDs(runtime backend, id string) bool {
	c, err := runtime.Get(id)
	if err != nil {
		return true
	}
	ns := spec.Namespace(c.Config, "pid")
	return ns == nil || ns.Path != ""
}
