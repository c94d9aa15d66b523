package image

import (
	"bufio"
	"context"
	"io"

	"github.com/containerd/errdefs"
	"github.com/containerd/platforms"
	"github.com/dhow-containers/dhow/higher/api"
	"github.com/dhow-containers/dhow/higher/decompress"
	"github.com/moby/moby/api/types/jsonstream"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// ImageLoad loads the images of an archive: one of `docker save`, or an OCI layout, compressed or not. With platforms only
// those are loaded, and each must be there.
func (m *Manager) ImageLoad(ctx context.Context, r io.Reader, only []ocispec.Platform, p api.Progress) error {
	ctx, release, err := m.hold(ctx, false)
	if err != nil {
		return err
	}
	defer m.sweeper.soon()
	defer release()
	plain, err := decompress.Archive(bufio.NewReaderSize(r, 256<<10))
	if err != nil {
		return api.Errorf(errdefs.ErrInvalidArgument, "cannot read the archive: %v", err)
	}
	defer func() { _ = plain.Close() }()
	entries, err := m.readArchive(ctx, plain)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if err := m.loadOne(ctx, e, only, p); err != nil {
			return err
		}
	}
	return nil
}

// loadOne records and unpacks an image whose blobs have been stored.
func (m *Manager) loadOne(ctx context.Context, e entry, only []ocispec.Platform, p api.Progress) error {
	var match platforms.Matcher = platforms.All
	if len(only) > 0 {
		match = platforms.Any(only...)
	}
	if err := m.refer(ctx, e.target, match, len(only) == 0); err != nil {
		return err
	}
	list, err := m.manifests(ctx, e.target)
	if err != nil {
		return err
	}
	if err := m.checkPlatforms(list, only); err != nil {
		return err
	}
	if best := bestOf(list, nil); best == nil || !best.available {
		return badArchive("%s is not an image of a container, or not a whole one", or(e.name, e.target.Digest.String()))
	}
	for i := range list {
		if one := &list[i]; m.wanted(one, list, only) {
			if err := m.unpackLoaded(ctx, one, p); err != nil {
				return err
			}
		}
	}
	record, err := m.name(ctx, e.name, e.target)
	if err != nil {
		return err
	}
	text := "Loaded image: " + familiar(record)
	if e.name == "" {
		text = "Loaded image ID: " + e.target.Digest.String()
	}
	p(jsonstream.Message{Stream: text + "\n"})
	m.emit("load", e.target.Digest.String(), m.attributes(ctx, record, e.target.Digest.String()))
	return nil
}

// wanted says whether a manifest is to be unpacked: that of the host's platform, or those that were asked for.
func (m *Manager) wanted(one *manifest, all []manifest, only []ocispec.Platform) bool {
	if one.kind != kindImage || !one.available {
		return false
	}
	if len(only) > 0 {
		return platforms.Any(only...).Match(one.platform)
	}
	return one == bestOf(all, nil)
}

// checkPlatforms says whether the platforms that were asked for are there.
func (m *Manager) checkPlatforms(list []manifest, only []ocispec.Platform) error {
	for _, p := range only {
		p := p
		best := bestOf(list, &p)
		if best == nil {
			return api.Errorf(errdefs.ErrNotFound, "requested platform(s) ([%s]) not found: image might be filtered out", platforms.FormatAll(p))
		}
		if !best.available {
			return api.Errorf(errdefs.ErrNotFound, "requested platform(s) ([%s]) found, but some content is missing", platforms.FormatAll(p))
		}
	}
	return nil
}

func (m *Manager) unpackLoaded(ctx context.Context, one *manifest, p api.Progress) error {
	if m.isUnpacked(ctx, one) {
		return nil
	}
	t := newTracker(p, one)
	defer t.close()
	err := m.unpack(ctx, one, &hooks{extracting: func(layer ocispec.Descriptor, n int64) {
		t.progress(layer, "Loading layer", n)
	}})
	return err
}
