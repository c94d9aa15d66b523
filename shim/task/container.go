package task

import (
	"context"
	"os"
	"sync"

	specs "github.com/opencontainers/runtime-spec/specs-go"

	"github.com/dhow-containers/dhow/shim/api"
	"github.com/dhow-containers/dhow/shim/stdio"
)

// task is one container.
type task struct {
	id, bundle string
	options    *api.Options
	saved      *saved // what Start is to restore; nil: nothing
	runtime    backend
	init       *process
	door       *os.File        // where clients come to; nil: the streams are elsewhere
	oom        *oomWatch       // nil: nothing to watch
	life       context.Context // ends with the init
	die        context.CancelFunc

	mu     sync.Mutex
	idle   sync.Cond // active has become 0
	execs  map[string]*process
	active int  // execs that run, or are being started
	over   bool // the init has ended: no exec can begin any more
	paused bool
	kills  uint32        // by the OOM killer
	killed chan struct{} // closed, and replaced, with each of them
}

// process is a container's init or an exec.
type process struct {
	task    *task
	id      string // of the exec; "" for the init
	stdio   api.Stdio
	streams *stdio.Streams
	spec    *specs.Process // of an exec

	op      sync.Mutex // start, exit and deletion, one after the other
	started bool       // guarded by op

	exited chan struct{} // closed with the end

	// Guarded by task.mu.
	pid    int // 0: there is none yet
	status api.Status
	exit   api.Exit
	ended  bool
}

func newTask(id, bundle string) *task {
	t := &task{id: id, bundle: bundle, execs: map[string]*process{}, killed: make(chan struct{})}
	t.idle.L = &t.mu
	t.life, t.die = context.WithCancel(context.Background())
	return t
}

func (t *task) newProcess(id string, streams api.Stdio) *process {
	return &process{task: t, id: id, stdio: streams, exited: make(chan struct{}), status: api.Created}
}

// eventID is how events name the process.
func (p *process) eventID() string {
	if p.id == "" {
		return p.task.id
	}
	return p.id
}

// born records the process's pid.
func (p *process) born(pid int, status api.Status) {
	p.task.mu.Lock()
	defer p.task.mu.Unlock()
	p.pid, p.status = pid, status
}

// end records how the process ended, and wakes those who wait for it.
func (p *process) end(exit api.Exit, status api.Status) {
	p.task.mu.Lock()
	defer p.task.mu.Unlock()
	if !p.ended {
		p.exit, p.status, p.ended = exit, status, true
		close(p.exited)
	}
}

// look returns what can be said of the process now.
func (p *process) look() (pid int, status api.Status, exit api.Exit) {
	p.task.mu.Lock()
	defer p.task.mu.Unlock()
	return p.pid, p.status, p.exit
}

// begin counts an exec that is being started; not when the init has ended.
func (t *task) begin() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.over {
		t.active++
	}
	return !t.over
}

// finish takes begin back.
func (t *task) finish() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.active--; t.active == 0 {
		t.idle.Broadcast()
	}
}

// open returns the streams of a process that has them already.
func (p *process) open() *stdio.Streams {
	p.task.mu.Lock()
	defer p.task.mu.Unlock()
	return p.streams
}
