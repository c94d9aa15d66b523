package image

import (
	"context"
	"sort"

	"github.com/containerd/containerd/v2/core/images"
	"github.com/dhow-containers/dhow/higher/api"
	"github.com/moby/moby/api/types/image"
	digest "github.com/opencontainers/go-digest"
)

// ImageList lists the images that a filter lets through, the newest first.
func (m *Manager) ImageList(ctx context.Context, o api.ImageListOptions) ([]image.Summary, error) {
	ctx = m.in(ctx)
	pass, err := m.filter(ctx, o.Filters, "dangling", "label", "label!", "before", "since", "reference", "until")
	if err != nil {
		return nil, err
	}
	records, err := m.images.List(ctx)
	if err != nil {
		return nil, err
	}
	var out []image.Summary
	var prints []footprint
	for _, group := range byTarget(records) {
		s, print, err := m.summary(ctx, group, pass, o.Manifests)
		if err != nil {
			return nil, err
		}
		if print != nil {
			prints = append(prints, print)
		}
		if s != nil {
			out = append(out, *s)
		}
	}
	if o.SharedSize {
		share(out, prints)
	}
	sort.SliceStable(out, func(i, j int) bool { return out[i].Created > out[j].Created })
	return out, nil
}

// byTarget puts the records of each image together, in the order of their names.
func byTarget(records []images.Image) [][]images.Image {
	at := map[digest.Digest]int{}
	var out [][]images.Image
	for _, r := range records {
		i, ok := at[r.Target.Digest]
		if !ok {
			i = len(out)
			at[r.Target.Digest] = i
			out = append(out, nil)
		}
		out[i] = append(out[i], r)
	}
	return out
}

// summary describes an image, unless a filter holds back all of its records, and tells what it takes.
func (m *Manager) summary(ctx context.Context, group []images.Image, pass filter, detailed bool) (*image.Summary, footprint, error) {
	list, err := m.manifests(ctx, group[0].Target)
	if err != nil {
		return nil, nil, err
	}
	print, err := m.footprint(ctx, group[0].Target, list)
	if err != nil {
		return nil, nil, err
	}
	c := &candidate{best: bestOf(list, nil), group: group}
	var records []images.Image
	for _, r := range group {
		if c.record = r; pass(c) {
			records = append(records, r)
		}
	}
	if len(records) == 0 {
		return nil, print, nil
	}
	target := group[0].Target
	s := &image.Summary{ID: target.Digest.String(), Descriptor: &target, SharedSize: -1, Labels: map[string]string{}, Size: print.total()}
	s.RepoTags, s.RepoDigests = repoNames(records)
	summaries, err := m.summaries(ctx, list)
	if err != nil {
		return nil, nil, err
	}
	s.Containers = m.usedBy(list, summaries, group[0])
	if detailed {
		s.Manifests = summaries
	}
	if c.best != nil {
		if c.best.image.Config.Labels != nil {
			s.Labels = c.best.image.Config.Labels
		}
		if created := c.best.image.Created; created != nil {
			s.Created = created.Unix()
		}
	}
	return s, print, nil
}
