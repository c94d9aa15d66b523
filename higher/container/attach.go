package container

import (
	"context"
	"errors"
	"io"

	"github.com/dhow-containers/dhow/higher/api"
	"github.com/dhow-containers/dhow/higher/task"
	"github.com/moby/moby/api/types/events"
)

// client is one that attaches to a container that does not run yet, and waits for its start.
type client struct {
	conn     io.ReadWriteCloser
	options  task.AttachOptions
	attached chan attached // one; closed without if it is turned away
}

type attached struct {
	Attachment
	err error
}

// ContainerAttach connects a client with a container's streams. One that does not run may be started later.
func (m *Manager) ContainerAttach(ctx context.Context, name string, o api.AttachOptions, s api.Streams) error {
	c, err := m.get(name)
	if err != nil {
		return err
	}
	if _, err := task.ParseDetachKeys(o.DetachKeys); err != nil {
		return err
	}
	r := c.record()
	switch r.Phase {
	case Paused:
		return conflictf("container %s is paused, unpause the container before attach", name)
	case Restarting:
		return conflictf("container %s is restarting, wait until the container is running", name)
	}
	conn, err := s.Hijack(!r.Config.Tty)
	if err != nil {
		return err
	}
	if o.Logs {
		if err := c.replay(ctx, o, conn); err != nil {
			return err
		}
	}
	if !o.Stream {
		return nil
	}
	c.emit(events.ActionAttach, nil)
	detached, err := c.stream(ctx, conn, task.AttachOptions{
		Stdin: o.Stdin && r.Config.OpenStdin, Stdout: o.Stdout, Stderr: o.Stderr, DetachKeys: o.DetachKeys,
		CloseStdin: r.Config.StdinOnce && !r.Config.Tty, Raw: api.IsRaw(conn),
	})
	if detached {
		c.emit(events.ActionDetach, nil)
	}
	return err
}

// stream connects a client now or at the start, and returns when it has ended.
func (c *container) stream(ctx context.Context, conn io.ReadWriteCloser, o task.AttachOptions) (detached bool, err error) {
	c.mu.Lock()
	run := c.run
	var waiting *client
	if run == nil {
		waiting = &client{conn, o, make(chan attached, 1)}
		c.clients = append(c.clients, waiting)
	}
	c.mu.Unlock()
	if run != nil {
		a, err := run.task.Attach(ctx, o, conn)
		if err != nil {
			return false, err
		}
		return a.Wait(ctx)
	}
	select {
	case a, ok := <-waiting.attached:
		switch {
		case !ok:
			return false, nil
		case a.err != nil:
			return false, a.err
		}
		return a.Wait(ctx)
	case <-ctx.Done():
		return false, ctx.Err()
	}
}

// admitClients connects those that wait for a start with the process that is about to start.
func (c *container) admitClients(ctx context.Context, run *run) {
	for _, w := range c.takeClients() {
		a, err := run.task.Attach(ctx, w.options, w.conn)
		w.attached <- attached{a, err}
	}
}

// turnAwayClients ends the waiting of clients: the container did not start, or is removed.
func (c *container) turnAwayClients() {
	for _, w := range c.takeClients() {
		close(w.attached)
	}
}

func (c *container) takeClients() []*client {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := c.clients
	c.clients = nil
	return all
}

// replay sends what was logged so far.
func (c *container) replay(ctx context.Context, o api.AttachOptions, conn io.Writer) error {
	err := c.sendLogs(ctx, api.LogsOptions{Stdout: o.Stdout, Stderr: o.Stderr, Tail: -1}, conn)
	if errors.Is(err, errUnreadable) {
		return nil
	}
	return err
}
