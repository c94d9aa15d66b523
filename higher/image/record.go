package image

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"

	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/errdefs"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

func randomID() string {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

// name gives an image a name, "" for none. An image that had the name before, and has no other, goes on without one.
func (m *Manager) name(ctx context.Context, name string, target ocispec.Descriptor) (images.Image, error) {
	m.names.Lock()
	defer m.names.Unlock()
	return m.nameLocked(ctx, name, target)
}

func (m *Manager) nameLocked(ctx context.Context, name string, target ocispec.Descriptor) (images.Image, error) {
	ctx = context.WithoutCancel(ctx)
	target = plain(target)
	if name == "" {
		return m.nameless(ctx, target)
	}
	old, err := m.images.Get(ctx, name)
	switch {
	case errdefs.IsNotFound(err):
	case err != nil:
		return images.Image{}, fmt.Errorf("cannot read the image database: %w", err)
	case old.Target.Digest == target.Digest:
		return m.touch(ctx, old)
	default:
		if err := m.keep(ctx, old); err != nil {
			return images.Image{}, err
		}
	}
	record := images.Image{Name: name, Target: target}
	if old.Name == "" {
		record, err = m.images.Create(ctx, record)
	} else {
		record, err = m.images.Update(ctx, record)
	}
	if err != nil {
		return images.Image{}, fmt.Errorf("cannot write to the image database: %w", err)
	}
	if err := m.images.Delete(ctx, danglingName(target.Digest)); err != nil && !errdefs.IsNotFound(err) {
		return images.Image{}, fmt.Errorf("cannot write to the image database: %w", err)
	}
	return record, nil
}

// plain is a descriptor without what belongs to where it was found.
func plain(d ocispec.Descriptor) ocispec.Descriptor {
	return ocispec.Descriptor{MediaType: d.MediaType, Digest: d.Digest, Size: d.Size}
}

// touch notes the time at which a name was given again.
func (m *Manager) touch(ctx context.Context, record images.Image) (images.Image, error) {
	record, err := m.images.Update(ctx, record)
	if err != nil {
		return images.Image{}, fmt.Errorf("cannot write to the image database: %w", err)
	}
	return record, nil
}

// nameless records an image that has no name, unless it has one.
func (m *Manager) nameless(ctx context.Context, target ocispec.Descriptor) (images.Image, error) {
	all, err := m.records(ctx, target.Digest)
	if err != nil {
		return images.Image{}, fmt.Errorf("cannot read the image database: %w", err)
	}
	if len(all) > 0 {
		return all[0], nil
	}
	record, err := m.images.Create(ctx, images.Image{Name: danglingName(target.Digest), Target: target})
	if err != nil {
		return images.Image{}, fmt.Errorf("cannot write to the image database: %w", err)
	}
	return record, nil
}

// keep lets an image that is about to lose a name go on, without one if that was its last.
func (m *Manager) keep(ctx context.Context, old images.Image) error {
	all, err := m.records(ctx, old.Target.Digest)
	if err != nil {
		return fmt.Errorf("cannot read the image database: %w", err)
	}
	for _, record := range all {
		if record.Name != old.Name {
			return nil
		}
	}
	_, err = m.images.Create(ctx, images.Image{Name: danglingName(old.Target.Digest), Target: old.Target})
	if err != nil && !errdefs.IsAlreadyExists(err) {
		return fmt.Errorf("cannot write to the image database: %w", err)
	}
	return nil
}
