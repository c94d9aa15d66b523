package engine

import (
	"context"
	"slices"

	"github.com/moby/moby/api/types/build"
	"github.com/moby/moby/api/types/system"
)

// SystemDiskUsage sums up what takes place on the disk, with a list of it if verbose.
func (e *Engine) SystemDiskUsage(ctx context.Context, objects []system.DiskUsageObject, verbose bool) (*system.DiskUsage, error) {
	u := &system.DiskUsage{}
	var err error
	if slices.Contains(objects, system.ImageObject) {
		if u.ImageUsage, err = e.images.DiskUsage(ctx, verbose); err != nil {
			return nil, err
		}
	}
	if slices.Contains(objects, system.ContainerObject) {
		if u.ContainerUsage, err = e.containers.DiskUsage(ctx, verbose); err != nil {
			return nil, err
		}
	}
	if slices.Contains(objects, system.VolumeObject) {
		if u.VolumeUsage, err = e.volumes.DiskUsage(ctx, verbose); err != nil {
			return nil, err
		}
	}
	if slices.Contains(objects, system.BuildCacheObject) {
		u.BuildCacheUsage = &build.DiskUsage{}
	}
	return u, nil
}
