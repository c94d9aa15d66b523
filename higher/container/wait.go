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
		answer <- r.gone()
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

// gone is the answer when a container has been removed: that is no error, whatever it ended with. A client that waits for
// it has been told of a failed start by the start itself.
func (r *Record) gone() types.WaitResponse { return types.WaitResponse{StatusCode: int64(r.ExitCode)} }

// notifyStopped answers those who wait for the end of the process.
func (c *container) notifyStopped() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.answer(&c.stops, c.record().answer())
}

// notifyRemoved answers everybody who waits.
func (c *container) notifyRemoved() {
	c.mu.Lock()
	defer c.mu.Unlock()
	close(c.removed)
	c.answer(&c.stops, c.record().gone())
	c.answer(&c.removals, c.record().gone())
}

// notifyNotRemoved answers, with the error, those who wait for a removal that has failed.
func (c *container) notifyNotRemoved() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.answer(&c.stops, c.record().answer())
	c.answer(&c.removals, c.record().answer())
}

func (c *container) answer(waiting *[]chan<- types.WaitResponse, answer types.WaitResponse) {
	for _, w := range *waiting {
		w <- answer
	}
	*waiting = nil
}
