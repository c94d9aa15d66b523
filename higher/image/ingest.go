package image

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/errdefs"
	"github.com/containerd/platforms"
	digest "github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// ingest stores a stream as a blob, under a lease. With a digest it must have that, and is not read if it is there. Half
// a blob is taken away.
func (m *Manager) ingest(ctx context.Context, r io.Reader, size int64, expected digest.Digest) (d digest.Digest, err error) {
	ref := "ingest-" + randomID()
	w, err := content.OpenWriter(ctx, m.content, content.WithRef(ref), content.WithDescriptor(ocispec.Descriptor{Size: size, Digest: expected}))
	if errdefs.IsAlreadyExists(err) {
		return expected, nil
	}
	if err != nil {
		return "", err
	}
	defer func() {
		_ = w.Close()
		if err != nil {
			_ = m.content.Abort(context.WithoutCancel(ctx), ref)
		}
	}()
	n, err := io.Copy(w, r)
	if err != nil {
		return "", err
	}
	if size > 0 && n != size {
		return "", io.ErrUnexpectedEOF
	}
	if err := w.Commit(ctx, n, expected); err != nil && !errdefs.IsAlreadyExists(err) {
		return "", err
	}
	return w.Digest(), nil
}

// ingestJSON stores a document.
func (m *Manager) ingestJSON(ctx context.Context, mediaType string, v any) (ocispec.Descriptor, error) {
	raw, err := json.Marshal(v)
	if err != nil {
		return ocispec.Descriptor{}, err
	}
	desc := ocispec.Descriptor{MediaType: mediaType, Digest: digest.FromBytes(raw), Size: int64(len(raw))}
	_, err = m.ingest(ctx, bytes.NewReader(raw), desc.Size, desc.Digest)
	return desc, err
}

// refer has every document of an image keep what it names, so that nothing is collected as long as the image is there.
// Only manifests that match are entered; one of them that is not whole is an error of errdefs.ErrNotFound unless partial.
func (m *Manager) refer(ctx context.Context, target ocispec.Descriptor, match platforms.Matcher, partial bool) error {
	children := images.FilterPlatforms(m.presentChildren(partial), match)
	return images.Walk(ctx, images.SetChildrenLabels(m.content, children), target)
}

// presentChildren returns what a document names; if partial, only what is there.
func (m *Manager) presentChildren(partial bool) images.HandlerFunc {
	return func(ctx context.Context, desc ocispec.Descriptor) ([]ocispec.Descriptor, error) {
		children, err := images.Children(ctx, m.content, desc)
		if err != nil {
			return nil, err
		}
		var gone error
		children = slices.DeleteFunc(children, func(child ocispec.Descriptor) bool {
			_, err := m.content.Info(ctx, child.Digest)
			if err != nil && gone == nil && (!partial || !errdefs.IsNotFound(err)) && !images.IsIndexType(desc.MediaType) {
				gone = fmt.Errorf("cannot find %s, which %s has: %w", child.Digest, desc.Digest, err)
			}
			return errdefs.IsNotFound(err)
		})
		return children, gone
	}
}

// broken says whether an error is one of data, so that what was stored of it must not be gone on with.
func broken(err error) bool {
	return errdefs.IsFailedPrecondition(err) || errdefs.IsOutOfRange(err) || errors.Is(err, digest.ErrDigestInvalidFormat)
}

// clearIngests removes what is to become blobs but does not tell of which: there was no space even for that, or the
// process was killed first. The content store would never find it again.
func clearIngests(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		ref, err := os.ReadFile(filepath.Join(dir, e.Name(), "ref"))
		if err == nil && digest.FromBytes(ref).Encoded() == e.Name() {
			continue
		}
		if err := os.RemoveAll(filepath.Join(dir, e.Name())); err != nil {
			return err
		}
	}
	return nil
}
