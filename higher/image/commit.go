package image

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/containerd/containerd/v2/core/images"
	digest "github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// Commit makes an image of what a container has changed, on top of the one that it was made from, and returns its id. The
// caller sees to it that the container does not write meanwhile.
func (m *Manager) Commit(ctx context.Context, r CommitRequest) (digest.Digest, error) {
	ctx, release, err := m.hold(ctx, false)
	if err != nil {
		return "", err
	}
	defer m.sweeper.soon()
	defer release()
	img, err := m.onTopOf(ctx, r.Parent)
	if err != nil {
		return "", err
	}
	step := ocispec.History{Created: now(), CreatedBy: r.CreatedBy, Author: r.Author, Comment: r.Comment}
	if r.Config != nil {
		img.config.Config = *r.Config
	}
	img.config.Author = r.Author
	l, changed, err := m.changedLayer(ctx, r.Container)
	if err != nil {
		return "", fmt.Errorf("cannot commit container %s: %w", r.Container, err)
	}
	if changed {
		img.add(l, step)
	} else {
		step.EmptyLayer = true
		img.config.History = append(img.config.History, step)
		img.config.Created = step.Created
	}
	record, err := m.save(ctx, img, r.Ref)
	if err != nil {
		return "", fmt.Errorf("cannot commit container %s: %w", r.Container, err)
	}
	id := record.Target.Digest.String()
	m.emit("create", id, m.attributes(ctx, record, id))
	if r.Ref != "" {
		m.emit("tag", record.Target.Digest.String(), m.attributes(ctx, record, familiar(record)))
	}
	return record.Target.Digest, nil
}

// onTopOf begins an image that has what another has.
func (m *Manager) onTopOf(ctx context.Context, parent *Image) (*made, error) {
	if parent == nil {
		return newMade(nil), nil
	}
	one, err := m.again(ctx, parent)
	if err != nil {
		return nil, err
	}
	if err := m.pin(ctx, one.desc); err != nil {
		return nil, err
	}
	img := newMade(&one.platform)
	img.config = one.image
	img.config.RootFS.DiffIDs = append([]digest.Digest(nil), one.image.RootFS.DiffIDs...)
	img.config.History = append([]ocispec.History(nil), one.image.History...)
	for _, layer := range one.layers {
		layer.MediaType = ociLayer(layer.MediaType)
		img.layers = append(img.layers, layer)
	}
	return img, nil
}

// ociLayer is a layer's media type in an OCI manifest.
func ociLayer(mediaType string) string {
	switch mediaType {
	case images.MediaTypeDockerSchema2Layer:
		return ocispec.MediaTypeImageLayer
	case images.MediaTypeDockerSchema2LayerGzip:
		return ocispec.MediaTypeImageLayerGzip
	case images.MediaTypeDockerSchema2LayerZstd:
		return ocispec.MediaTypeImageLayerZstd
	}
	return mediaType
}

// changedLayer stores a container's changes as a layer.
func (m *Manager) changedLayer(ctx context.Context, container string) (l *layer, changed bool, err error) {
	pr, pw := io.Pipe()
	done := make(chan error, 1)
	go func() {
		var err error
		changed, err = m.writeChanges(ctx, container, pw)
		pw.CloseWithError(err)
		done <- err
	}()
	l, err = m.storePlain(ctx, pr)
	_ = pr.CloseWithError(io.ErrClosedPipe)
	if e := <-done; e != nil && (err == nil || !errors.Is(e, io.ErrClosedPipe)) {
		err = e
	}
	return l, changed, err
}
