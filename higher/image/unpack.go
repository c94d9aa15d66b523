package image

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"

	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/containerd/v2/core/snapshots"
	"github.com/containerd/containerd/v2/core/unpack"
	"github.com/containerd/platforms"
	digest "github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/sync/semaphore"
)

// unpackers is how many layers are unpacked at a time: that is work for processors.
func unpackers() int64 { return int64(max(2, runtime.GOMAXPROCS(0))) }

// hooks hear how an image is being unpacked; each may be nil.
type hooks struct {
	extracting func(layer ocispec.Descriptor, done int64) // so many bytes of the blob have been read
	unpacked   func(chainID string)                       // a layer is complete
}

// unpacker makes layers of blobs while these arrive. Layers are unpacked beside one another, each into a directory of its
// own, and put on top of one another in order (except by the native snapshotter, which copies).
func (m *Manager) unpacker(ctx context.Context, h *hooks, opts ...unpack.UnpackerOpt) (*unpack.Unpacker, error) {
	x := &extraction{Snapshotter: m.snapshot, content: m.content, implied: map[string][]string{}}
	if h != nil {
		x.hooks = *h
	}
	p := unpack.Platform{Platform: platforms.All, SnapshotterKey: m.driver, Snapshotter: x, Applier: x}
	if m.driver == driverOverlay {
		p.SnapshotterCapabilities = []string{snapshots.RebaseCap}
		opts = append(opts, unpack.WithUnpackLimiter(semaphore.NewWeighted(unpackers())))
	}
	opts = append(opts, unpack.WithUnpackPlatform(p), unpack.WithDuplicationSuppressor(&m.keys))
	return unpack.NewUnpacker(ctx, m.content, opts...)
}

// unpack unpacks an image whose blobs are all there, with a lease.
func (m *Manager) unpack(ctx context.Context, one *manifest, h *hooks) error {
	u, err := m.unpacker(ctx, h)
	if err != nil {
		return err
	}
	children := images.HandlerFunc(func(ctx context.Context, desc ocispec.Descriptor) ([]ocispec.Descriptor, error) {
		if images.IsManifestType(desc.MediaType) {
			return images.Children(ctx, m.content, desc)
		}
		return nil, nil
	})
	if err := images.Dispatch(ctx, u.Unpack(children), nil, one.desc); err != nil {
		return err
	}
	if _, err := u.Wait(); err != nil {
		return unpackError(err)
	}
	return nil
}

// layerError is why a layer could not be unpacked.
type layerError struct {
	layer digest.Digest
	text  string
	cause error
}

func (e *layerError) Error() string {
	return fmt.Sprintf("cannot unpack layer %s: %s", e.layer, e.text)
}
func (e *layerError) Unwrap() error { return e.cause }

// unpackError takes from an error what only tells where things lie.
func unpackError(err error) error {
	var e *layerError
	if errors.As(err, &e) {
		return e
	}
	if strings.Contains(err.Error(), "wrong diff id") {
		return fmt.Errorf("a layer is not what the image's config says: %w", err)
	}
	return fmt.Errorf("cannot unpack the image: %w", err)
}

// isUnpacked says whether all layers of an image are.
func (m *Manager) isUnpacked(ctx context.Context, one *manifest) bool {
	chain := one.chain()
	if len(chain) == 0 {
		return true
	}
	_, err := m.snapshot.Stat(ctx, chain[len(chain)-1])
	return err == nil
}

// extraction is the applier and the snapshotter of one unpacker.
type extraction struct {
	snapshots.Snapshotter
	content contentReader
	hooks   hooks

	mu      sync.Mutex
	implied map[string][]string // directories that a layer only implies, by where it is unpacked
}
