package image

import (
	"slices"

	"context"

	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/errdefs"
	"github.com/dhow-containers/dhow/higher/api"
	"github.com/distribution/reference"
	"github.com/opencontainers/image-spec/identity"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// Resolve finds an image by name[:tag][@digest], id or the beginning of an id, for a platform; for that which fits the
// host best if p is nil. An error of errdefs.ErrNotFound has Docker's words.
func (m *Manager) Resolve(ctx context.Context, name string, p *ocispec.Platform) (*Image, error) {
	ctx = m.in(ctx)
	f, err := m.find(ctx, name)
	if err != nil {
		return nil, err
	}
	record := f.any()
	one, err := m.choose(ctx, record.Target, p, name)
	if err != nil {
		return nil, err
	}
	img := one.resolved(record)
	if !f.byID || idPrefix(name) == "" {
		if named, err := parseRef(name); err == nil {
			img.Name = reference.FamiliarString(reference.TagNameOnly(named))
		}
	}
	return img, nil
}

func (one *manifest) resolved(record images.Image) *Image {
	diffs := slices.Clone(one.image.RootFS.DiffIDs)
	return &Image{
		ID: record.Target.Digest, Target: record.Target, Manifest: one.desc,
		ChainID: identity.ChainID(diffs), Platform: one.platform, Config: one.image,
	}
}

// again reads what an Image was made from.
func (m *Manager) again(ctx context.Context, img *Image) (*manifest, error) {
	one, err := m.manifest(ctx, img.Manifest)
	if err != nil {
		return nil, err
	}
	if one.config.Digest == "" {
		return nil, api.Errorf(errdefs.ErrNotFound, "No such image: %s", img.ID)
	}
	return one, nil
}

// ImageSize is how much an image's layers take, unpacked, and its blobs.
func (m *Manager) ImageSize(ctx context.Context, img *Image) (int64, error) {
	ctx = m.in(ctx)
	one, err := m.again(ctx, img)
	if err != nil {
		return 0, err
	}
	unpacked, err := m.unpackedSize(ctx, one)
	return unpacked, err
}
