package container

import (
	"context"
	"time"

	"github.com/dhow-containers/dhow/higher/api"
	types "github.com/moby/moby/api/types/container"
)

// DiskUsage is the part of `docker system df` about containers.
func (m *Manager) DiskUsage(ctx context.Context, verbose bool) (*types.DiskUsage, error) {
	list, err := m.ContainerList(ctx, api.ContainerListOptions{All: true, Size: true})
	if err != nil {
		return nil, err
	}
	u := &types.DiskUsage{TotalCount: int64(len(list))}
	for i := range list {
		u.TotalSize += list[i].SizeRw
		switch list[i].State {
		case Running, Paused, Restarting:
			u.ActiveCount++
		default:
			u.Reclaimable += list[i].SizeRw
		}
	}
	if verbose {
		u.Items = list
	}
	return u, nil
}

// ContainerPrune removes the containers that do not run, and says how much they had written.
func (m *Manager) ContainerPrune(ctx context.Context, f api.Filters) (types.PruneReport, error) {
	report := types.PruneReport{}
	wanted, err := pruneFilter(f, time.Now())
	if err != nil {
		return report, err
	}
	if !m.beginPrune() {
		return report, conflictf("a prune operation is already running")
	}
	defer m.endPrune()
	for _, c := range m.all() {
		r := c.record()
		if r.Running() || !wanted(r) {
			continue
		}
		size, err := m.Images.Usage(ctx, c.id)
		if err != nil {
			size = 0
		}
		if err := c.removeByClient(context.WithoutCancel(ctx), api.RemoveOptions{}); err != nil {
			m.Log.Warn("cannot prune a container", "container", c.id, "error", err)
			continue
		}
		report.SpaceReclaimed += uint64(size)
		report.ContainersDeleted = append(report.ContainersDeleted, c.id)
		if ctx.Err() != nil {
			break
		}
	}
	m.Bus.Publish("container", "prune", "", map[string]string{"reclaimed": formatUint(report.SpaceReclaimed)})
	return report, nil
}

func (m *Manager) beginPrune() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	began := !m.pruning
	m.pruning = true
	return began
}

func (m *Manager) endPrune() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.pruning = false
}
