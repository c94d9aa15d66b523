package container

import (
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"

	"github.com/dhow-containers/dhow/higher/volume"
	types "github.com/moby/moby/api/types/container"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// container is one that is known.
type container struct {
	m  *Manager
	id string

	// op is held by what is done with the container: one thing after another. Nobody holds it while waiting for a
	// process to end, as the end is handled under it.
	op     sync.Mutex
	opened []*os.File // what image mounts have as sources meanwhile; under op

	rec atomic.Pointer[Record]

	mu       sync.Mutex // of all below, and of replacing the record
	run      *run       // nil unless there is a task
	stops    []chan<- types.WaitResponse
	removals []chan<- types.WaitResponse
	clients  []*client // attached before the start
	execs    map[string]*exec
	again    *again // the start that a restart policy has planned
	keep     bool   // it is stopped to be started again at once: no --rm
	removed  chan struct{}
}

// run is the time between a start and the end.
type run struct {
	task   Task
	spec   *specs.Spec
	mounts []volume.Mount
	ended  chan struct{} // closed when the end is handled
	health *monitor
}

func (m *Manager) newContainer(r *Record) *container {
	c := &container{m: m, id: r.ID, execs: map[string]*exec{}, removed: make(chan struct{})}
	c.rec.Store(r)
	return c
}

func (c *container) record() *Record { return c.rec.Load() }

// amend makes a new record by change, which may set fields but not change what they point to. It is written before
// anybody sees it.
func (c *container) amend(change func(r *Record) error) error { return c.replace(true, change) }

// note is amend for what is lost with the daemon.
func (c *container) note(change func(r *Record) error) error { return c.replace(false, change) }

func (c *container) replace(write bool, change func(r *Record) error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := *c.rec.Load()
	if err := change(&r); err != nil {
		return err
	}
	if write {
		if err := c.m.store.put(&r); err != nil {
			return err
		}
	}
	c.rec.Store(&r)
	return nil
}

// running returns the run of a container that has a task.
func (c *container) running() (*run, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch r := c.rec.Load(); {
	case r.Phase == Restarting:
		return nil, restarting(c.id)
	case c.run == nil || !r.Running():
		return nil, notRunning(c.id)
	}
	return c.run, nil
}

// dir has the container's files, which outlive a start.
func (c *container) dir() string { return filepath.Join(c.m.DataRoot, "containers", c.id) }

// bundle is of one start.
func (c *container) bundle() string { return filepath.Join(c.m.ExecRoot, "containers", c.id) }

// file is the path of one of the container's files.
func (c *container) file(name string) string { return filepath.Join(c.dir(), name) }

// dropBundle removes the bundle once there is no task any more.
func (c *container) dropBundle() error { return os.RemoveAll(c.bundle()) }
