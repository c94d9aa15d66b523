package container

import (
	"context"
	"strconv"

	"github.com/moby/moby/api/types/events"
)

// ContainerResize sets the size of a container's terminal.
func (m *Manager) ContainerResize(ctx context.Context, name string, height, width uint32) error {
	c, err := m.get(name)
	if err != nil {
		return err
	}
	run, err := c.running()
	if err != nil {
		return err
	}
	if err := run.task.Resize(ctx, width, height); err != nil {
		return err
	}
	c.emit(events.ActionResize, map[string]string{
		"height": strconv.FormatUint(uint64(height), 10), "width": strconv.FormatUint(uint64(width), 10),
	})
	return nil
}
