package image

import (
	"context"
	"time"

	"github.com/containerd/containerd/v2/core/images"
	"github.com/dhow-containers/dhow/higher/api"
	"github.com/moby/moby/api/types/image"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// ImageInspect tells about an image for a platform, or for that which fits the host best.
func (m *Manager) ImageInspect(ctx context.Context, name string, o api.ImageInspectOptions) (*image.InspectResponse, error) {
	ctx = m.in(ctx)
	f, err := m.find(ctx, name)
	if err != nil {
		return nil, err
	}
	target := f.any().Target
	list, err := m.manifests(ctx, target)
	if err != nil {
		return nil, err
	}
	best := bestOf(list, o.Platform)
	if best == nil && o.Platform != nil {
		_, err := m.choose(ctx, target, o.Platform, name)
		return nil, err
	}
	if o.Platform != nil {
		target = best.desc
	}
	out := &image.InspectResponse{ID: target.Digest.String(), Descriptor: &target}
	out.RepoTags, out.RepoDigests = repoNames(f.all)
	for _, record := range f.all {
		if record.UpdatedAt.After(out.Metadata.LastTagTime) {
			out.Metadata.LastTagTime = record.UpdatedAt
		}
	}
	if o.Manifests {
		if out.Manifests, err = m.summaries(ctx, list); err != nil {
			return nil, err
		}
	}
	if best == nil {
		return out, nil
	}
	describe(out, best)
	out.Size, err = m.totalSize(ctx, best)
	return out, err
}

// describe fills in what an image's config tells.
func describe(out *image.InspectResponse, one *manifest) {
	config := one.image.Config
	out.Config = &config
	out.Author, out.Architecture, out.Variant = one.image.Author, one.image.Architecture, one.image.Variant
	out.Os, out.OsVersion = one.image.OS, one.image.OSVersion
	if n := len(one.image.History); n > 0 {
		out.Comment = one.image.History[n-1].Comment
	}
	if one.image.Created != nil {
		out.Created = one.image.Created.Format(time.RFC3339Nano)
	}
	out.RootFS.Type = one.image.RootFS.Type
	for _, d := range one.image.RootFS.DiffIDs {
		out.RootFS.Layers = append(out.RootFS.Layers, d.String())
	}
}

// blobSize is how many bytes the blobs of a manifest take that are there.
func (m *Manager) blobSize(ctx context.Context, one *manifest) (sum int64) {
	if one.config.Digest == "" {
		return 0
	}
	seen := map[string]bool{}
	for _, desc := range append([]ocispec.Descriptor{one.desc, one.config}, one.layers...) {
		if seen[desc.Digest.String()] {
			continue
		}
		seen[desc.Digest.String()] = true
		if info, err := m.content.Info(ctx, desc.Digest); err == nil {
			sum += info.Size
		}
	}
	return sum
}

// totalSize is how many bytes an image takes: blobs, and layers unpacked.
func (m *Manager) totalSize(ctx context.Context, one *manifest) (int64, error) {
	unpacked, err := m.unpackedSize(ctx, one)
	return unpacked + m.blobSize(ctx, one), err
}

// summaries tell about the manifests of an image.
func (m *Manager) summaries(ctx context.Context, list []manifest) ([]image.ManifestSummary, error) {
	out := make([]image.ManifestSummary, len(list))
	for i := range list {
		one, s := &list[i], &out[i]
		s.ID, s.Descriptor, s.Available, s.Kind = one.desc.Digest.String(), one.desc, one.available, image.ManifestKindUnknown
		s.Size.Content = m.blobSize(ctx, one)
		s.Size.Total = s.Size.Content
		switch one.kind {
		case kindAttestation:
			s.Kind = image.ManifestKindAttestation
			s.AttestationData = &image.AttestationProperties{For: digestOf(one.desc.Annotations[referenceDigest])}
		case kindImage:
			s.Kind = image.ManifestKindImage
			unpacked, err := m.unpackedSize(ctx, one)
			if err != nil {
				return nil, err
			}
			s.ImageData = &image.ImageProperties{Platform: one.platform, Containers: []string{}}
			s.ImageData.Size.Unpacked = unpacked
			s.Size.Total += unpacked
		}
	}
	return out, nil
}

// usedBy enters which containers use an image: all of them are taken to use the manifest that fits the host best.
func (m *Manager) usedBy(list []manifest, out []image.ManifestSummary, record images.Image) int64 {
	users := m.users(record.Target.Digest)
	if best := bestOf(list, nil); best != nil && len(users) > 0 {
		for i := range list {
			if &list[i] == best && out[i].ImageData != nil {
				out[i].ImageData.Containers = users
			}
		}
	}
	return int64(len(users))
}
