package container

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/dhow-containers/dhow/higher/api"
	"github.com/moby/moby/api/types/events"
)

// ContainerRemove removes a container; one that runs only with Force.
func (m *Manager) ContainerRemove(ctx context.Context, name string, o api.RemoveOptions) error {
	if o.Link {
		return m.removeLink(name)
	}
	c, err := m.get(name)
	if err != nil {
		return err
	}
	if err := c.removeByClient(context.WithoutCancel(ctx), o); err != nil {
		return wrapf(err, "cannot remove container %q", name)
	}
	return nil
}

func (c *container) removeByClient(ctx context.Context, o api.RemoveOptions) error {
	if o.Force && c.record().Running() {
		if err := c.kill(); err != nil && !errors.Is(err, errNotRunning) {
			return fmt.Errorf("could not kill container: %w", err)
		}
	}
	c.op.Lock()
	defer c.op.Unlock()
	select {
	case <-c.removed:
		return nil // by --rm, or by somebody else
	default:
	}
	return c.remove(ctx, o.Volumes)
}

// remove removes a container that does not run. c.op is held.
//
// It is recorded first that this has begun, so that Restore goes on with it, unless that is so anyway: a container with
// --rm that has ended.
func (c *container) remove(ctx context.Context, volumes bool) error {
	implied := c.record().HostConfig.AutoRemove && !c.record().StartedAt.IsZero()
	if err := c.replace(!implied, func(r *Record) error { return r.move(Removing) }); err != nil {
		return err
	}
	c.m.die("remove-recorded")
	if err := c.dispose(ctx, volumes); err != nil {
		err = errors.Join(err, c.amend(func(r *Record) error { r.Error = err.Error(); return r.move(Dead) }))
		c.notifyNotRemoved()
		return err
	}
	c.emit(events.ActionDestroy, nil)
	return nil
}

// dispose takes away everything of a container that has no task, last its record. It can be repeated.
func (c *container) dispose(ctx context.Context, volumes bool) error {
	m, r := c.m, c.record()
	c.turnAwayClients()
	c.forgetExecs()
	err := errors.Join(c.unmountShm(), c.unmountSources(), m.Images.Release(ctx, c.id), m.Volumes.Drop(ctx, c.id, r.Mounts, volumes))
	if r.mountsImages() {
		err = errors.Join(err, m.Images.Return(ctx, c.id))
	}
	if err != nil {
		return err
	}
	m.die("remove-released")
	if err := errors.Join(os.RemoveAll(c.dir()), c.dropBundle()); err != nil {
		return fmt.Errorf("unable to remove filesystem: %w", err)
	}
	m.die("remove-files")
	if err := m.store.delete(c.id); err != nil {
		return err
	}
	m.forget(c)
	if err := c.note(func(r *Record) error { r.Error = ""; return nil }); err != nil { // those who wait are told of no error
		return err
	}
	c.notifyRemoved()
	return nil
}

func (m *Manager) forget(c *container) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.byID, c.id)
	if name := c.record().Name; m.byName[name] == c.id {
		delete(m.byName, name)
	}
}

// removeLink does `rm --link /PARENT/ALIAS`.
func (m *Manager) removeLink(name string) error {
	parent, alias, ok := strings.Cut(strings.TrimPrefix(name, "/"), "/")
	if !ok {
		return conflictf("Conflict, cannot remove the default link name of the container")
	}
	c, err := m.get(parent)
	if err != nil {
		return api.Errorf(err, "Cannot get parent /%s for link name /%s/%s", parent, parent, alias)
	}
	c.op.Lock()
	defer c.op.Unlock()
	return c.amend(func(r *Record) error {
		var left []link
		for _, l := range r.Links {
			if l.Alias != alias {
				left = append(left, l)
			}
		}
		if len(left) == len(r.Links) {
			return noSuchContainer(name)
		}
		r.Links = left
		return nil
	})
}
