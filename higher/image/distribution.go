package image

import (
	"context"
	"encoding/json"
	"fmt"
	"io"

	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/containerd/v2/core/remotes"
	"github.com/containerd/errdefs"
	"github.com/containerd/platforms"
	"github.com/dhow-containers/dhow/higher/api"
	"github.com/distribution/reference"
	"github.com/moby/moby/api/types/registry"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// DistributionInspect tells what a registry has under a name, without pulling it.
func (m *Manager) DistributionInspect(ctx context.Context, ref string, auth *registry.AuthConfig) (*registry.DistributionInspect, error) {
	named, err := parseRef(ref)
	if err != nil {
		return nil, err
	}
	named = normal(named)
	s, err := m.connect(ctx, named, auth)
	if err != nil {
		return nil, err
	}
	defer s.close()
	r := s.resolver(nil)
	_, desc, err := r.Resolve(ctx, named.String())
	if errdefs.IsNotFound(err) {
		return nil, api.Errorf(errdefs.ErrNotFound, "manifest unknown: manifest unknown")
	}
	if err != nil {
		return nil, s.askError(named, "Head", "/manifests/"+version(named), err)
	}
	fetcher, err := r.Fetcher(ctx, named.String())
	if err != nil {
		return nil, pullError(named, err)
	}
	out := &registry.DistributionInspect{Descriptor: desc, Platforms: []ocispec.Platform{}}
	switch {
	case images.IsIndexType(desc.MediaType):
		var index ocispec.Index
		if err := fetchJSON(ctx, fetcher, desc, &index); err != nil {
			return nil, pullError(named, err)
		}
		for _, one := range index.Manifests {
			if one.Platform != nil {
				out.Platforms = append(out.Platforms, *one.Platform)
			}
		}
	case images.IsManifestType(desc.MediaType):
		var doc ocispec.Manifest
		if err := fetchJSON(ctx, fetcher, desc, &doc); err != nil {
			return nil, pullError(named, err)
		}
		var p ocispec.Platform
		if err := fetchJSON(ctx, fetcher, doc.Config, &p); err != nil {
			return nil, pullError(named, err)
		}
		if p.OS != "" {
			out.Platforms = append(out.Platforms, platforms.Normalize(p))
		}
	}
	return out, nil
}

// version is the tag or digest of a name.
func version(named reference.Named) string {
	if d, ok := named.(reference.Digested); ok {
		return d.Digest().String()
	}
	return tagOf(named)
}

// fetchJSON reads a document of a registry, which must be what its digest says.
func fetchJSON(ctx context.Context, f remotes.Fetcher, desc ocispec.Descriptor, v any) error {
	if err := desc.Digest.Validate(); err != nil {
		return err
	}
	if desc.Size > maxDocument {
		return api.Errorf(errdefs.ErrInvalidArgument, "%s has %d bytes, more than the %d that a manifest or config may have", desc.Digest, desc.Size, maxDocument)
	}
	r, err := f.Fetch(ctx, desc)
	if err != nil {
		return err
	}
	raw, err := io.ReadAll(io.LimitReader(r, maxDocument))
	_ = r.Close()
	if err != nil {
		return err
	}
	if desc.Digest.Algorithm().FromBytes(raw) != desc.Digest {
		return api.Errorf(errdefs.ErrDataLoss, "%s is not what its digest says", desc.Digest)
	}
	if err := json.Unmarshal(raw, v); err != nil {
		return fmt.Errorf("cannot read %s: %w", desc.Digest, err)
	}
	return nil
}
