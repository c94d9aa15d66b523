package container

import (
	"context"
	"time"

	"github.com/dhow-containers/dhow/higher/task"
	types "github.com/moby/moby/api/types/container"
)

// Delays of a restart policy: doubled with each, and from the first again once the container has run for a while.
const (
	firstDelay   = 100 * time.Millisecond
	longestDelay = time.Minute
	ranLong      = 10 * time.Second
)

// again is a start that a restart policy has planned.
type again struct {
	delay  time.Duration
	cancel chan struct{}
}

// wants says whether a policy has a container started again that has ended by itself, restarted times before.
func wants(p types.RestartPolicy, code, restarted int) bool {
	switch {
	case p.IsAlways(), p.IsUnlessStopped():
		return true
	case p.IsOnFailure():
		return code != 0 && (p.MaximumRetryCount == 0 || restarted < p.MaximumRetryCount)
	}
	return false
}

// planRestart decides whether a container that has ended is started again; nil if not.
func (c *container) planRestart(exit task.Exit) *again {
	r := c.record()
	c.mu.Lock()
	defer c.mu.Unlock()
	last := c.again
	c.again = nil
	if r.Stopped || c.keep || c.m.isClosing() || !wants(r.HostConfig.RestartPolicy, int(exit.Status), r.RestartCount) {
		return nil
	}
	next := &again{delay: firstDelay, cancel: make(chan struct{})}
	if last != nil && exit.At.Sub(r.StartedAt) < ranLong {
		next.delay = min(2*last.delay, longestDelay)
	}
	c.again = next
	return next
}

// startLater starts a container that is Restarting after the planned delay.
func (c *container) startLater(plan *again) {
	c.m.background(func() {
		t := time.NewTimer(plan.delay)
		defer t.Stop()
		select {
		case <-t.C:
		case <-plan.cancel:
			return
		case <-c.m.ctx.Done():
			return
		}
		c.op.Lock()
		defer c.op.Unlock()
		if c.record().Phase != Restarting || c.m.isClosing() {
			return
		}
		if err := c.start(context.Background(), false); err != nil {
			c.m.Log.Warn("cannot start a container again", "container", c.id, "error", err)
			c.giveUp()
			c.autoRemove(context.Background())
		}
	})
}

// giveUp makes a container that waits for its next start one that has ended. c.op is held.
func (c *container) giveUp() {
	c.mu.Lock()
	if c.again != nil {
		close(c.again.cancel)
		c.again = nil
	}
	c.mu.Unlock()
	if err := c.amend(func(r *Record) error { return r.move(Exited) }); err != nil {
		c.m.Log.Error("cannot record that a container is not started again", "container", c.id, "error", err)
	}
	c.notifyStopped()
}
