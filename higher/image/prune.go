package image

import (
	"context"
	"fmt"
	"maps"
	"strconv"

	"github.com/containerd/containerd/v2/core/leases"
	"github.com/containerd/errdefs"
	"github.com/dhow-containers/dhow/higher/api"
	"github.com/moby/moby/api/types/image"
)

// ImagePrune removes images that no container uses: those without a name, or all of them with the filter dangling=false.
// What interrupted pulls have left is removed, too.
func (m *Manager) ImagePrune(ctx context.Context, f api.Filters) (image.PruneReport, error) {
	ctx = m.in(ctx)
	if !m.prune.TryLock() {
		return image.PruneReport{}, api.Errorf(errdefs.ErrConflict, "a prune operation is already running")
	}
	defer m.prune.Unlock()
	f = maps.Clone(f)
	onlyDangling := true
	if values, ok := f["dangling"]; ok {
		var err error
		if onlyDangling, err = boolean("dangling", values); err != nil {
			return image.PruneReport{}, err
		}
		delete(f, "dangling")
	}
	pass, err := m.filter(ctx, f, "label", "label!", "until")
	if err != nil {
		return image.PruneReport{}, err
	}
	before, err := m.diskTotal(ctx)
	if err != nil {
		return image.PruneReport{}, err
	}
	report, err := m.pruneAll(ctx, pass, onlyDangling)
	if err != nil {
		return report, err
	}
	after, err := m.diskTotal(ctx)
	if err != nil {
		return report, err
	}
	report.SpaceReclaimed = uint64(max(0, before-after))
	m.emit("prune", "", map[string]string{"reclaimed": strconv.FormatUint(report.SpaceReclaimed, 10)})
	return report, nil
}

func (m *Manager) pruneAll(ctx context.Context, pass filter, onlyDangling bool) (report image.PruneReport, err error) {
	m.names.Lock()
	defer m.names.Unlock()
	records, err := m.images.List(ctx)
	if err != nil {
		return report, fmt.Errorf("cannot read the image database: %w", err)
	}
	err = m.dropLeases(ctx, func(l leases.Lease) bool { return l.Labels[leaseResumable] != "" })
	if err != nil {
		return report, fmt.Errorf("cannot write to the image database: %w", err)
	}
	for _, group := range byTarget(records) {
		c := &candidate{group: group, record: group[0]}
		if len(m.users(c.record.Target.Digest)) > 0 || onlyDangling && (len(group) > 1 || !isDangling(group[0].Name)) {
			continue
		}
		if list, err := m.manifests(ctx, c.record.Target); err == nil {
			c.best = bestOf(list, nil)
		}
		if !pass(c) {
			continue
		}
		deleted, err := m.deleteAll(ctx, group)
		report.ImagesDeleted = append(report.ImagesDeleted, deleted...)
		if err != nil {
			return report, err
		}
	}
	m.collect(ctx)
	return report, nil
}
