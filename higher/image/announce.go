package image

import (
	"context"
	"sync"

	"github.com/containerd/containerd/v2/core/images"
	digest "github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// announce tells which layers are to come, once a manifest and its config are there.
func (f *fetching) announce(next images.HandlerFunc) images.HandlerFunc {
	var mu sync.Mutex
	manifests := map[digest.Digest]ocispec.Descriptor{} // by config
	return func(ctx context.Context, desc ocispec.Descriptor) ([]ocispec.Descriptor, error) {
		children, err := next(ctx, desc)
		if err != nil {
			return nil, err
		}
		if images.IsManifestType(desc.MediaType) {
			f.began()
		}
		mu.Lock()
		defer mu.Unlock()
		if images.IsManifestType(desc.MediaType) && len(children) > 0 {
			manifests[children[0].Digest] = desc
		}
		if of, ok := manifests[desc.Digest]; ok && images.IsConfigType(desc.MediaType) {
			err = f.announceLayers(ctx, of)
		}
		return children, err
	}
}

func (f *fetching) announceLayers(ctx context.Context, desc ocispec.Descriptor) error {
	one, err := f.m.manifest(ctx, desc)
	if err != nil {
		return err
	}
	f.t.add(one)
	chain := one.chain()
	coming := 0
	for i, layer := range one.layers {
		if i >= len(chain) {
			break // the unpacker says what is wrong
		}
		l := f.t.layer(layer)
		_, absent := f.m.content.Info(ctx, layer.Digest)
		_, missing := f.m.snapshot.Stat(ctx, chain[i])
		if absent == nil && missing == nil {
			f.t.exists(chain[i], !one.available)
			continue
		}
		l.made = missing == nil // before anybody fetches it
		f.t.say(l, "Pulling fs layer")
		if absent == nil {
			continue
		}
		if coming++; coming > fetchers {
			f.t.say(l, "Waiting")
		}
	}
	return nil
}
