package image

import (
	"context"
	"slices"

	"github.com/moby/moby/api/types/image"
	digest "github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// ImageHistory tells how an image was made, the newest step first.
func (m *Manager) ImageHistory(ctx context.Context, name string, p *ocispec.Platform) ([]image.HistoryResponseItem, error) {
	ctx = m.in(ctx)
	f, err := m.find(ctx, name)
	if err != nil {
		return nil, err
	}
	one, err := m.choose(ctx, f.any().Target, p, familiar(f.any()))
	if err != nil {
		return nil, err
	}
	chain := one.chain()
	var out []image.HistoryResponseItem
	for _, step := range one.image.History {
		item := image.HistoryResponseItem{ID: "<missing>", Comment: step.Comment, CreatedBy: step.CreatedBy}
		if step.Created != nil {
			item.Created = step.Created.Unix()
		}
		if !step.EmptyLayer && len(chain) > 0 {
			if item.Size, err = m.layerSize(ctx, chain[0]); err != nil {
				return nil, err
			}
			chain = chain[1:]
		}
		out = append(out, item)
	}
	slices.Reverse(out)
	if len(out) > 0 {
		out[0].ID = f.target().String()
		if tags, _ := repoNames(f.all); len(tags) > 0 {
			out[0].Tags = tags
		}
	}
	return out, nil
}

// digestOf is a digest that somebody wrote, or "".
func digestOf(s string) digest.Digest {
	d, err := digest.Parse(s)
	if err != nil {
		return ""
	}
	return d
}
