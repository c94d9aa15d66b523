package image

import (
	"context"
	"strings"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/containerd/v2/core/snapshots"
	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/image"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// footprint is what an image takes on the disk: bytes by blob and by layer.
type footprint map[string]int64

func (f footprint) total() (sum int64) {
	for _, size := range f {
		sum += size
	}
	return sum
}

// footprint tells what an image takes.
func (m *Manager) footprint(ctx context.Context, target ocispec.Descriptor, list []manifest) (footprint, error) {
	out := footprint{}
	blobs := []ocispec.Descriptor{}
	if images.IsIndexType(target.MediaType) {
		blobs = append(blobs, target)
	}
	for i := range list {
		one := &list[i]
		if one.config.Digest != "" {
			blobs = append(append(blobs, one.desc, one.config), one.layers...)
		}
		for _, id := range one.chain() {
			size, err := m.layerSize(ctx, id)
			if err != nil {
				return nil, err
			}
			out["layer "+id] = size
		}
	}
	for _, desc := range blobs {
		info, err := m.content.Info(ctx, desc.Digest)
		if errdefs.IsNotFound(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		out["blob "+desc.Digest.String()] = info.Size
	}
	return out, nil
}

// share enters in each summary how much of it other images have, too. There is a footprint for each image, listed or not.
func share(list []image.Summary, prints []footprint) {
	times := map[string]int{}
	sizes := map[string]int64{}
	for _, print := range prints {
		for key, size := range print {
			times[key]++
			sizes[key] = size
		}
	}
	for i := range list {
		list[i].SharedSize = 0
		for _, print := range prints {
			if _, ok := print["blob "+list[i].ID]; !ok {
				continue
			}
			for key := range print {
				if times[key] > 1 {
					list[i].SharedSize += sizes[key]
				}
			}
			break
		}
	}
}

// DiskUsage tells what images take, and what would be free without those that no container uses.
func (m *Manager) DiskUsage(ctx context.Context, verbose bool) (*image.DiskUsage, error) {
	ctx = m.in(ctx)
	records, err := m.images.List(ctx)
	if err != nil {
		return nil, err
	}
	out := &image.DiskUsage{}
	var prints []footprint
	used := footprint{}
	for _, group := range byTarget(records) {
		s, print, err := m.summary(ctx, group, passAll, false)
		if err != nil {
			return nil, err
		}
		out.TotalCount++
		if s.Containers > 0 {
			out.ActiveCount++
			for key, size := range print {
				used[key] = size
			}
		}
		out.Items, prints = append(out.Items, *s), append(prints, print)
	}
	share(out.Items, prints)
	if out.TotalSize, err = m.diskTotal(ctx); err != nil {
		return nil, err
	}
	out.Reclaimable = max(0, out.TotalSize-used.total())
	if !verbose {
		out.Items = nil
	}
	return out, nil
}

// diskTotal is how much all blobs and layers take; containers' own parts are not counted.
func (m *Manager) diskTotal(ctx context.Context) (sum int64, err error) {
	err = m.content.Walk(ctx, func(info content.Info) error {
		sum += info.Size
		return nil
	})
	if err != nil {
		return 0, err
	}
	list, err := m.snapshots(ctx)
	for _, s := range list {
		if s.Kind != snapshots.KindCommitted || strings.HasPrefix(s.Name, baseKey) {
			continue // no image's
		}
		size, err := m.layerSize(ctx, s.Name)
		if err != nil {
			return 0, err
		}
		sum += size
	}
	return sum, err
}
