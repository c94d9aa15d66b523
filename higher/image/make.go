package image

import (
	"context"
	"fmt"
	"time"

	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/errdefs"
	"github.com/containerd/platforms"
	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// made is an image that is made here.
type made struct {
	config dockerspec.DockerOCIImage
	layers []ocispec.Descriptor
}

// newMade begins an image without layers.
func newMade(p *ocispec.Platform) *made {
	out := &made{}
	out.config.Platform = platforms.DefaultSpec()
	if p != nil {
		out.config.Platform = platforms.Normalize(*p)
	}
	out.config.OSVersion, out.config.OSFeatures = "", nil
	out.config.RootFS.Type = "layers"
	return out
}

// add puts a layer on top.
func (i *made) add(l *layer, step ocispec.History) {
	i.layers = append(i.layers, l.desc)
	i.config.RootFS.DiffIDs = append(i.config.RootFS.DiffIDs, l.diffID)
	i.config.History = append(i.config.History, step)
	i.config.Created = step.Created
}

// save stores, unpacks and names an image, "" for no name. The context has a lease.
func (m *Manager) save(ctx context.Context, i *made, name string) (images.Image, error) {
	target, err := m.store(ctx, i)
	if err != nil {
		return images.Image{}, err
	}
	return m.name(ctx, name, target)
}

// store stores and unpacks an image that nothing but the context's lease holds.
func (m *Manager) store(ctx context.Context, i *made) (target ocispec.Descriptor, err error) {
	config, err := m.ingestJSON(ctx, ocispec.MediaTypeImageConfig, i.config)
	if err != nil {
		return target, fmt.Errorf("cannot store the image's config: %w", err)
	}
	doc := ocispec.Manifest{Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageManifest, Config: config, Layers: i.layers}
	if doc.Layers == nil {
		doc.Layers = []ocispec.Descriptor{}
	}
	if target, err = m.ingestJSON(ctx, doc.MediaType, doc); err != nil {
		return target, fmt.Errorf("cannot store the image's manifest: %w", err)
	}
	if err := m.refer(ctx, target, platforms.All, false); err != nil {
		return target, err
	}
	one, err := m.manifest(ctx, target)
	if err != nil {
		return target, err
	}
	if err := m.unpack(ctx, one, nil); err != nil && !errdefs.IsAlreadyExists(err) {
		return target, err
	}
	return target, nil
}

// now is the time in the precision that configs have.
func now() *time.Time {
	t := time.Now().UTC()
	return &t
}
