package container

import (
	"context"
	"errors"

	"github.com/containerd/errdefs"
	"github.com/dhow-containers/dhow/higher/api"
	"github.com/moby/moby/api/types/events"
)

// ContainerPause stops all processes of a container where they are.
func (m *Manager) ContainerPause(ctx context.Context, name string) error {
	c, err := m.get(name)
	if err != nil {
		return err
	}
	c.op.Lock()
	defer c.op.Unlock()
	return c.pause(ctx)
}

func (c *container) pause(ctx context.Context) error {
	trial := *c.record()
	if err := trial.move(Paused); err != nil {
		return err
	}
	run, err := c.running()
	if err != nil {
		return err
	}
	if err := run.task.Pause(ctx); err != nil {
		return wrapf(err, "cannot pause container %s", c.id)
	}
	if err := c.amend(func(r *Record) error { return r.move(Paused) }); err != nil {
		return errors.Join(err, run.task.Resume(ctx))
	}
	c.stopHealth(run)
	c.emit(events.ActionPause, nil)
	return nil
}

// ContainerUnpause lets them go on.
func (m *Manager) ContainerUnpause(ctx context.Context, name string) error {
	c, err := m.get(name)
	if err != nil {
		return err
	}
	c.op.Lock()
	defer c.op.Unlock()
	return c.unpause(ctx)
}

func (c *container) unpause(ctx context.Context) error {
	if c.record().Phase != Paused {
		return api.Errorf(errdefs.ErrUnknown, "Container %s is not paused", c.id)
	}
	run, err := c.running()
	if err != nil {
		return err
	}
	if err := run.task.Resume(ctx); err != nil {
		return wrapf(err, "Cannot unpause container %s", c.id)
	}
	if err := c.amend(func(r *Record) error { return r.move(Running) }); err != nil {
		return err
	}
	c.startHealth(run)
	c.emit(events.ActionUnPause, nil)
	return nil
}

// thaw lets a paused container take a signal that ends it.
func (c *container) thaw(run *run) {
	err := run.task.Resume(context.Background())
	if err == nil {
		err = c.amend(func(r *Record) error { return r.move(Running) })
	}
	if err != nil {
		c.m.Log.Warn("cannot unpause a container that is to end", "container", c.id, "error", err)
		return
	}
	c.emit(events.ActionUnPause, nil)
}

// WhilePaused calls fn while a container, if it runs, is paused.
func (m *Manager) WhilePaused(ctx context.Context, name string, fn func(*Record) error) (retErr error) {
	c, err := m.get(name)
	if err != nil {
		return err
	}
	c.op.Lock()
	defer c.op.Unlock()
	if c.record().Phase == Running {
		run, err := c.running()
		if err != nil {
			return err
		}
		if err := run.task.Pause(ctx); err != nil {
			return wrapf(err, "cannot pause container %s", c.id)
		}
		defer func() { retErr = errors.Join(retErr, run.task.Resume(context.WithoutCancel(ctx))) }()
	}
	return fn(c.record())
}
