package image

import (
	"context"
	"fmt"
	"io"

	"github.com/containerd/errdefs"
	"github.com/dhow-containers/dhow/higher/api"
	"github.com/dhow-containers/dhow/higher/build/changes"
	"github.com/moby/moby/api/types/jsonstream"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// ImageImport makes an image of one layer from a root file system's tar archive.
func (m *Manager) ImageImport(ctx context.Context, o api.ImportOptions, r io.Reader, p api.Progress) error {
	name := ""
	if o.Repo != "" {
		named, err := newName(o.Repo, o.Tag)
		if err != nil {
			return err
		}
		name = named.String()
	}
	img := newMade(o.Platform)
	if err := changes.Apply(&img.config.Config, o.Changes); err != nil {
		return err
	}
	ctx, release, err := m.hold(ctx, false)
	if err != nil {
		return err
	}
	defer m.sweeper.soon()
	defer release()
	l, err := m.storeLayer(ctx, r)
	if err != nil {
		return fmt.Errorf("cannot import the archive: %w", err)
	}
	img.add(l, ocispec.History{Created: now(), Comment: o.Message})
	record, err := m.save(ctx, img, name)
	if err != nil {
		if broken(err) {
			return api.Errorf(errdefs.ErrInvalidArgument, "cannot import the archive: %v", err)
		}
		return fmt.Errorf("cannot import the archive: %w", err)
	}
	id := record.Target.Digest.String()
	p(jsonstream.Message{Status: id})
	m.emit("import", id, m.attributes(ctx, record, id))
	return nil
}
