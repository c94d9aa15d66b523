package task

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"time"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/runtime/cgroup"
	"github.com/dhow-containers/dhow/shim/api"
	"github.com/dhow-containers/dhow/shim/command"
	"github.com/dhow-containers/dhow/shim/ttrpc"
	"github.com/dhow-containers/dhow/shim/wire"
)

// Task is a container that has a shim. What it has of a Process is that of its init.
type Task struct {
	initial
	m        *Manager
	bundle   string
	conn     *ttrpc.Mux
	shim     int           // pid of the shim if it is this process's child
	shimGone chan struct{} // closed when it has ended
	over     bool          // it had ended when it was loaded
}

type initial = Process // Task.Process is a method

// reapShim waits for the end of the shim, which the end of the connection tells of.
func (t *Task) reapShim() {
	<-t.conn.Done()
	if t.shim != 0 {
		reap(t.shim)
	}
	close(t.shimGone)
}

// Over says whether a task that was loaded had ended by then: Wait answers at once.
func (t *Task) Over() bool { return t.over }

// Kill sends a signal to the init, or to all processes.
func (t *Task) Kill(ctx context.Context, sig unix.Signal, all bool) error {
	return t.call(ctx, "Kill", &api.KillRequest{Target: t.target, Signal: uint32(sig), All: all}, nil)
}

// Pause stops all processes.
func (t *Task) Pause(ctx context.Context) error { return t.call(ctx, "Pause", &t.target, nil) }

// Resume lets them go on.
func (t *Task) Resume(ctx context.Context) error { return t.call(ctx, "Resume", &t.target, nil) }

// Update changes limits.
func (t *Task) Update(ctx context.Context, r *specs.LinuxResources) error {
	text, err := json.Marshal(r)
	if err != nil {
		return err
	}
	return t.call(ctx, "Update", &api.UpdateRequest{ID: t.target.ID, Resources: wire.Any{Value: text}}, nil)
}

// Pids are all processes, as the host counts them.
func (t *Task) Pids(context.Context) ([]int, error) {
	g, err := command.Groups(t.bundle)
	if errors.Is(err, fs.ErrNotExist) { // ours
		return t.m.store.Processes(t.target.ID)
	}
	if err != nil {
		return nil, err
	}
	return g.Pids()
}

// Stats reads the statistics. The shim is not asked: it rests.
func (t *Task) Stats(context.Context) (*Metrics, error) {
	host, err := cgroup.Detect()
	if err != nil {
		return nil, err
	}
	stats, err := t.count()
	if err != nil {
		return nil, err
	}
	return &Metrics{Read: time.Now(), Unified: host.Mode == cgroup.Unified, Stats: stats}, nil
}

func (t *Task) count() (*cgroup.Stats, error) {
	g, err := command.Groups(t.bundle)
	if err == nil {
		return g.Stats()
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	stats, err := t.m.store.Stats(t.target.ID)
	if err != nil {
		return nil, err
	}
	return stats.Stats, nil
}

// Delete removes a container that has ended, or never started; the shim ends.
func (t *Task) Delete(ctx context.Context) (Exit, error) {
	exit, err := t.initial.Delete(ctx)
	if err != nil {
		return exit, err
	}
	if err := t.call(ctx, "Shutdown", &api.ShutdownRequest{ID: t.target.ID}, nil); err != nil {
		return exit, err
	}
	late := time.NewTimer(endLimit)
	defer late.Stop()
	select {
	case <-t.shimGone:
		return exit, nil
	case <-late.C:
	case <-ctx.Done():
	}
	return exit, t.endShim(context.WithoutCancel(ctx))
}

// OOMKilled says whether the kernel has killed for want of memory in the container, so far.
func (t *Task) OOMKilled(ctx context.Context) bool {
	select {
	case <-t.exited:
		return t.exit.OOMKilled
	default:
	}
	n, err := t.oomKills(ctx, &api.OOMRequest{Now: true})
	return err == nil && n > 0
}

func (t *Task) oomKills(ctx context.Context, r *api.OOMRequest) (uint32, error) {
	r.ID = t.target.ID
	var answer api.OOMResponse
	err := t.callService(ctx, api.EngineService, "OOM", r, &answer)
	return answer.Count, err
}

// OOM is sent to after OOM kills, and closed when the container has ended. It is to be received from until then.
func (t *Task) OOM() <-chan struct{} {
	c := make(chan struct{})
	go func() {
		defer close(c)
		for seen := uint32(0); ; {
			n, err := t.oomKills(context.Background(), &api.OOMRequest{Seen: seen})
			if err != nil || n == seen {
				return
			}
			seen = n
			c <- struct{}{}
		}
	}()
	return c
}
