package container

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/containerd/errdefs"
	"github.com/dhow-containers/dhow/higher/api"
	types "github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/events"
	"golang.org/x/sys/unix"
)

// ContainerStop stops a container: the stop signal, and SIGKILL if it has not ended in time.
func (m *Manager) ContainerStop(ctx context.Context, name string, o api.StopOptions) error {
	c, err := m.get(name)
	if err != nil {
		return err
	}
	if !c.record().Running() {
		return api.ErrNotModified
	}
	if err := c.stop(o); err != nil {
		return wrapf(err, "cannot stop container: %s", name)
	}
	return nil
}

// ContainerRestart stops a container that runs and starts it. One with --rm stays.
func (m *Manager) ContainerRestart(ctx context.Context, name string, o api.StopOptions) error {
	c, err := m.get(name)
	if err != nil {
		return err
	}
	if err := c.restart(context.WithoutCancel(ctx), o); err != nil {
		return wrapf(err, "Cannot restart container %s", name)
	}
	c.emit(events.ActionRestart, nil)
	return nil
}

func (c *container) restart(ctx context.Context, o api.StopOptions) error {
	c.setKeep(true)
	defer c.setKeep(false)
	if c.record().Running() {
		if err := c.stop(o); err != nil {
			return err
		}
	}
	if err := c.startByClient(ctx); !errors.Is(err, api.ErrNotModified) {
		return err
	}
	return nil // somebody else has started it
}

func (c *container) setKeep(keep bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.keep = keep
}

// stop stops a container, and returns when its end is recorded.
func (c *container) stop(o api.StopOptions) error {
	sig, seconds := c.record().stopSignal(), c.stopTimeout()
	if o.Signal != "" {
		var err error
		if sig, err = parseSignal(o.Signal); err != nil {
			return err
		}
	}
	if o.Timeout != nil {
		seconds = *o.Timeout
	}
	stopped := c.wait(types.WaitConditionNotRunning)
	timeout := time.Duration(seconds) * time.Second
	err := c.signal(sig)
	switch {
	case errors.Is(err, errNotRunning):
		return nil
	case err != nil:
		timeout = 2 * time.Second
	case seconds < 0:
		<-stopped
		c.emit(events.ActionStop, nil)
		return nil
	}
	if !within(stopped, timeout) {
		c.m.Log.Info("a container did not end by its stop signal in time and is killed", "container", c.id, "signal", int(sig), "timeout", timeout)
		if err := c.kill(); err != nil && !errors.Is(err, errNotRunning) {
			return err
		}
	}
	c.emit(events.ActionStop, nil)
	return nil
}

// within says whether an answer comes in time.
func within(answer <-chan types.WaitResponse, timeout time.Duration) bool {
	t := time.NewTimer(timeout)
	defer t.Stop()
	select {
	case <-answer:
		return true
	case <-t.C:
		return false
	}
}

// ContainerKill sends a signal: a name with or without SIG, or a number; empty for SIGKILL, the end of which it awaits.
func (m *Manager) ContainerKill(_ context.Context, name, signal string) error {
	sig := sigkill
	if signal != "" {
		var err error
		if sig, err = parseSignal(signal); err != nil {
			return wrapf(err, "cannot kill container: %s", name)
		}
	}
	c, err := m.get(name)
	if err != nil {
		return wrapf(err, "cannot kill container: %s", name)
	}
	send := c.kill
	if sig != sigkill {
		send = func() error { return c.signal(sig) }
	}
	if err := send(); err != nil {
		return wrapf(err, "cannot kill container: %s", name)
	}
	return nil
}

// kill ends a container with SIGKILL, and returns when its end is recorded.
func (c *container) kill() error {
	stopped := c.wait(types.WaitConditionNotRunning)
	if err := c.signal(sigkill); err != nil {
		return err
	}
	if !within(stopped, 30*time.Second) {
		return errors.New("tried to kill container, but did not receive an exit event")
	}
	return nil
}

// signal sends a signal to a container's init, and notes that a client wants it to end if the signal means that: a
// restart policy then does not start it again.
func (c *container) signal(sig unix.Signal) error {
	c.op.Lock()
	defer c.op.Unlock()
	r := c.record()
	if !r.Running() {
		return notRunning(c.id)
	}
	ends := sig == sigkill || r.Config.StopSignal == "" || sig == r.stopSignal()
	if ends && !r.Stopped && !r.HostConfig.RestartPolicy.IsNone() && !c.m.isClosing() {
		if err := c.amend(func(r *Record) error { r.Stopped = true; return nil }); err != nil {
			return err
		}
	}
	if r.Phase == Restarting {
		if ends {
			c.giveUp()
		}
		return nil
	}
	run, err := c.running()
	if err != nil {
		return err
	}
	if err := run.task.Kill(context.Background(), sig, false); err != nil {
		if errdefs.IsNotFound(err) || errdefs.IsUnavailable(err) || errdefs.IsFailedPrecondition(err) {
			return nil // it has ended, and that is about to be handled
		}
		return wrapf(err, "Cannot kill container %s", c.id)
	}
	if ends && r.Phase == Paused {
		c.thaw(run)
	}
	c.emit(events.ActionKill, map[string]string{"signal": strconv.Itoa(int(sig))})
	return nil
}
