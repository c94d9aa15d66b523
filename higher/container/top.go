package container

import (
	"context"
	"slices"
	"strings"

	"github.com/containerd/errdefs"
	"github.com/dhow-containers/dhow/higher/api"
	"github.com/dhow-containers/dhow/runtime/ps"
	types "github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/events"
)

// ContainerTop shows a container's processes, as ps(1) with some arguments does.
func (m *Manager) ContainerTop(ctx context.Context, name, args string) (types.TopResponse, error) {
	var top types.TopResponse
	if args == "" {
		args = "-ef"
	}
	columns, err := ps.ParseOptions(strings.Fields(args))
	if err != nil {
		return top, invalidf("%v", err)
	}
	c, err := m.get(name)
	if err != nil {
		return top, err
	}
	run, err := c.running()
	if err != nil {
		return top, err
	}
	pids, err := run.task.Pids(ctx)
	if err != nil {
		return top, err
	}
	slices.Sort(pids)
	rows, err := ps.Rows(columns, pids)
	if err != nil {
		return top, err
	}
	if !slices.Contains(rows[0], "PID") {
		return top, api.Errorf(errdefs.ErrUnknown, "Couldn't find PID field in ps output")
	}
	c.emit(events.ActionTop, nil)
	return types.TopResponse{Titles: rows[0], Processes: rows[1:]}, nil
}
