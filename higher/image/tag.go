package image

import (
	"context"

	"github.com/containerd/errdefs"
	"github.com/dhow-containers/dhow/higher/api"
	"github.com/distribution/reference"
)

// newName makes the name of an image from a repository, which may have a tag itself, and a tag, which may be empty.
func newName(repo, tag string) (reference.Named, error) {
	named, err := parseRef(repo)
	if err != nil {
		return nil, err
	}
	if _, ok := named.(reference.Digested); ok {
		return nil, api.Errorf(errdefs.ErrInvalidArgument, "cannot create a tag with a digest reference")
	}
	if tag != "" {
		if named, err = reference.WithTag(reference.TrimNamed(named), tag); err != nil {
			return nil, api.Errorf(errdefs.ErrInvalidArgument, "%v", err)
		}
	}
	return reference.TagNameOnly(named), nil
}

// ImageTag gives an image another name.
func (m *Manager) ImageTag(ctx context.Context, name, repo, tag string) error {
	ctx = m.in(ctx)
	named, err := newName(repo, tag)
	if err != nil {
		return err
	}
	m.names.Lock() // so that the image does not go meanwhile
	defer m.names.Unlock()
	f, err := m.find(ctx, name)
	if err != nil {
		return err
	}
	record, err := m.nameLocked(ctx, named.String(), f.any().Target)
	if err != nil {
		return err
	}
	m.emit("tag", record.Target.Digest.String(), m.attributes(ctx, record, familiar(record)))
	return nil
}
