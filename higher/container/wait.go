package container

import (
	"context"

	types "github.com/moby/moby/api/types/container"
)

// ContainerWait returns once it watches; the answer comes over the channel, once.
func (m *Manager) ContainerWait(_ context.Context, name string, condition types.WaitCondition) (<-chan types.WaitResponse, error) {
	c, err := m.get(name)
	if err != nil {
		return nil, err
	}
	return c.wait(condition), nil
}

func (c *container) wait(condition types.WaitCondition) <-chan types.WaitResponse {
	answer := make(chan types.WaitResponse, 1)
	c.mu.Lock()
	defer c.mu.Unlock()
	r := c.record()
	select {
	case <-c.removed:
		answer <- r.answer()
		return answer
	default:
	}
	switch {
	case condition == types.WaitConditionRemoved:
		c.removals = append(c.removals, answer)
	case condition == types.WaitConditionNotRunning && !r.Running():
		answer <- r.answer()
	default:
		c.stops = append(c.stops, answer)
	}
	return answer
}

func (r *Record) answer() types.WaitResponse {
	a := types.WaitResponse{StatusCode: int64(r.ExitCode)}
	if r.Error != "" {
		a.Error = &types.WaitExitError{Message: r.Error}
	}
	return a
}

// notifyStopped answers those who wait for the end of the process.
func (c *container) notifyStopped() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.answer(&c.stops)
}

// notifyRemoved answers everybody who waits.
func (c *container) notifyRemoved() {
	c.mu.Lock()
	defer c.mu.Unlock()
	close(c.removed)
	c.answer(&c.stops)
	c.answer(&c.removals)
}

// notifyNotRemoved answers, with the error, those who wait for a removal that has failed.
func (c *container) notifyNotRemoved() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.answer(&c.stops)
	c.answer(&c.removals)
}

func (c *container) answer(waiting *[]chan<- types.WaitResponse) {
	for _, w := range *waiting {
		w <- c.record().answer()
	}
	*waiting = nil
}
