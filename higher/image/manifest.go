package image

import (
	"slices"

	"context"
	"encoding/json"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/errdefs"
	"github.com/containerd/platforms"
	"github.com/dhow-containers/dhow/higher/api"
	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	"github.com/opencontainers/image-spec/identity"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// maxDocument is how long a manifest or a config may be.
const maxDocument = 8 << 20

// Annotations of what BuildKit attaches to an image: such a manifest is none of an image.
const (
	referenceType   = "vnd.docker.reference.type"
	referenceDigest = "vnd.docker.reference.digest"
	attestation     = "attestation-manifest"
)

// manifest is the image of one platform, as far as it is there.
type manifest struct {
	desc      ocispec.Descriptor
	config    ocispec.Descriptor
	layers    []ocispec.Descriptor
	platform  ocispec.Platform
	image     dockerspec.DockerOCIImage
	available bool // manifest, config and layers are there
	kind      manifestKind
}

type manifestKind int

const (
	kindUnknown manifestKind = iota
	kindImage
	kindAttestation
)

// readJSON reads a document of the content store.
func (m *Manager) readJSON(ctx context.Context, desc ocispec.Descriptor, v any) error {
	if desc.Size > maxDocument {
		return api.Errorf(errdefs.ErrInvalidArgument, "%s has %d bytes, more than the %d that a manifest or config may have", desc.Digest, desc.Size, maxDocument)
	}
	raw, err := content.ReadBlob(ctx, m.content, desc)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(raw, v); err != nil {
		return api.Errorf(errdefs.ErrInvalidArgument, "cannot read %s: %v", desc.Digest, err)
	}
	return nil
}

// descriptors are the manifests that an image's target stands for, whether they are there or not.
func (m *Manager) descriptors(ctx context.Context, target ocispec.Descriptor) ([]ocispec.Descriptor, error) {
	var out []ocispec.Descriptor
	err := images.Walk(ctx, images.HandlerFunc(func(ctx context.Context, desc ocispec.Descriptor) ([]ocispec.Descriptor, error) {
		if !images.IsIndexType(desc.MediaType) {
			out = append(out, desc)
			return nil, nil
		}
		children, err := images.Children(ctx, m.content, desc)
		if errdefs.IsNotFound(err) {
			return nil, nil
		}
		return children, err
	}), target)
	return out, err
}

// manifests reads the manifests of an image, those too that are not there.
func (m *Manager) manifests(ctx context.Context, target ocispec.Descriptor) ([]manifest, error) {
	list, err := m.descriptors(ctx, target)
	if err != nil {
		return nil, err
	}
	out := make([]manifest, 0, len(list))
	for _, desc := range list {
		one, err := m.manifest(ctx, desc)
		if err != nil {
			return nil, err
		}
		out = append(out, *one)
	}
	return out, nil
}

// manifest reads a manifest. What is not there, or cannot be read, is left out: one image that is broken must not be in
// the way of listing and removing.
func (m *Manager) manifest(ctx context.Context, desc ocispec.Descriptor) (*manifest, error) {
	one := &manifest{desc: desc}
	if desc.Platform != nil {
		one.platform = *desc.Platform
	}
	if desc.Annotations[referenceType] == attestation {
		one.kind = kindAttestation
	}
	if !images.IsManifestType(desc.MediaType) {
		return one, nil
	}
	var doc ocispec.Manifest
	if err := m.readJSON(ctx, desc, &doc); err != nil {
		if errdefs.IsNotFound(err) && one.kind == kindUnknown && known(one.platform) {
			one.kind = kindImage
		}
		return one, m.unreadable(desc, err)
	}
	one.config, one.layers = doc.Config, doc.Layers
	one.available = m.present(ctx, append([]ocispec.Descriptor{doc.Config}, doc.Layers...))
	if one.kind == kindAttestation || !images.IsConfigType(doc.Config.MediaType) {
		return one, nil
	}
	if err := m.readJSON(ctx, doc.Config, &one.image); err != nil && !errdefs.IsNotFound(err) {
		one.available = false
		return one, m.unreadable(doc.Config, err)
	}
	one.kind = kindImage
	if !known(one.platform) {
		one.platform = one.image.Platform
	}
	if one.platform.Architecture == "unknown" {
		one.kind = kindUnknown
	}
	one.platform = platforms.Normalize(one.platform)
	return one, nil
}

// unreadable lets an error pass that is one of what was read.
func (m *Manager) unreadable(desc ocispec.Descriptor, err error) error {
	if errdefs.IsNotFound(err) {
		return nil
	}
	if errdefs.IsInvalidArgument(err) {
		m.log.Warn("an image cannot be read", "digest", desc.Digest, "error", err)
		return nil
	}
	return err
}

func known(p ocispec.Platform) bool { return p.OS != "" && p.OS != "unknown" }

// present says whether all of some blobs are there.
func (m *Manager) present(ctx context.Context, list []ocispec.Descriptor) bool {
	for _, desc := range list {
		if _, err := m.content.Info(ctx, desc.Digest); err != nil {
			return false
		}
	}
	return true
}

// choose returns the image for a platform, or for the one that fits the host best when p is nil.
func (m *Manager) choose(ctx context.Context, target ocispec.Descriptor, p *ocispec.Platform, name string) (*manifest, error) {
	list, err := m.manifests(ctx, target)
	if err != nil {
		return nil, err
	}
	if best := bestOf(list, p); best != nil {
		return best, nil
	}
	if p == nil {
		return nil, api.Errorf(errdefs.ErrNotFound, "image with reference %s was found but does not provide any platform", name)
	}
	return nil, api.Errorf(errdefs.ErrNotFound, "image with reference %s was found but does not provide the specified platform (%s)", name, platforms.FormatAll(*p))
}

// bestOf is the image among manifests, complete ones first, that fits a platform best, or nil.
func bestOf(list []manifest, p *ocispec.Platform) *manifest {
	var best *manifest
	var match platforms.MatchComparer = platforms.Only(Host())
	if p != nil {
		match = platforms.OnlyStrict(*p)
	}
	for i := range list {
		one := &list[i]
		fits := match.Match(one.platform)
		if one.kind != kindImage || one.config.Digest == "" || p != nil && !fits {
			continue
		}
		if best == nil || better(one, best, match) {
			best = one
		}
	}
	return best
}

func better(a, b *manifest, match platforms.MatchComparer) bool {
	if a.available != b.available {
		return a.available
	}
	if fa, fb := match.Match(a.platform), match.Match(b.platform); fa != fb {
		return fa
	}
	return match.Less(a.platform, b.platform)
}

// chain are the chain ids of an image's layers.
func (one *manifest) chain() []string {
	ids := identity.ChainIDs(slices.Clone(one.image.RootFS.DiffIDs))
	out := make([]string, len(ids))
	for i, id := range ids {
		out[i] = id.String()
	}
	return out
}
