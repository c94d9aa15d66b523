package image

import (
	"context"
	"fmt"

	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/errdefs"
	"github.com/dhow-containers/dhow/higher/api"
	"github.com/distribution/reference"
	"github.com/moby/moby/api/types/image"
	digest "github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// ImageDelete takes a name away, and removes the image when that was its last, or when it was given by id. Images have no
// parents here that prune could take along. With platforms only the content for those is removed.
func (m *Manager) ImageDelete(ctx context.Context, name string, force, prune bool, only []ocispec.Platform) ([]image.DeleteResponse, error) {
	ctx = m.in(ctx)
	m.names.Lock()
	defer m.names.Unlock()
	f, err := m.find(ctx, name)
	if err != nil {
		return nil, err
	}
	if len(only) > 0 {
		if !force {
			return nil, api.Errorf(errdefs.ErrInvalidArgument, "Content will be removed from all images referencing this variant. Use --force to force delete.")
		}
		return m.deletePlatforms(ctx, f, only)
	}
	users := m.users(f.target())
	if f.byID && idPrefix(name) != "" {
		if err := m.mayDeleteID(f, users, force); err != nil {
			return nil, err
		}
		return m.remove(ctx, f.all)
	}
	same, others := sameName(f, name)
	switch {
	case len(others) > 0:
		return m.untag(ctx, same, false)
	case len(users) == 0:
		return m.remove(ctx, f.all)
	case force:
		return m.untag(ctx, same, true)
	}
	return nil, api.Errorf(errdefs.ErrConflict, "conflict: unable to delete %s (must be forced) - container %s is using its referenced image %s",
		familiar(same[0]), shortID(users[0]), short(f.target()))
}

func shortID(id string) string { return id[:min(12, len(id))] }

// users are the containers that use an image, those that run first.
func (m *Manager) users(id digest.Digest) (list []string) {
	if m.options.InUse == nil {
		return nil
	}
	var stopped []string
	for _, container := range m.options.InUse()[id.String()] {
		if m.running(container) {
			list = append(list, container)
		} else {
			stopped = append(stopped, container)
		}
	}
	return append(list, stopped...)
}

func (m *Manager) running(container string) bool {
	return m.options.Running != nil && m.options.Running(container)
}

// mayDeleteID says why an image may not be removed by its id.
func (m *Manager) mayDeleteID(f *found, users []string, force bool) error {
	conflict := func(how, format string, args ...any) error {
		return api.Errorf(errdefs.ErrConflict, "conflict: unable to delete %s (%s) - %s", short(f.target()), how, fmt.Sprintf(format, args...))
	}
	if len(users) > 0 && m.running(users[0]) {
		return conflict("cannot be forced", "image is being used by running container %s", shortID(users[0]))
	}
	if force {
		return nil
	}
	if len(users) > 0 {
		return conflict("must be forced", "image is being used by stopped container %s", shortID(users[0]))
	}
	if tags, _ := repoNames(f.all); len(tags) > 1 {
		return conflict("must be forced", "image is referenced in multiple repositories")
	}
	return nil
}

// sameName divides an image's records into those that are meant by a name and others. With the last tag of a repository
// its digests in it are meant too.
func sameName(f *found, name string) (same, others []images.Image) {
	named, err := parseRef(name)
	if err != nil {
		return nil, f.all
	}
	_, byDigest := named.(reference.Digested)
	var digests []images.Image
	otherTag := false
	for _, record := range f.all {
		n, err := reference.ParseNormalizedNamed(record.Name)
		_, tagged := n.(reference.Tagged)
		switch {
		case err != nil || n.Name() != named.Name():
			others = append(others, record)
		case byDigest || f.record != nil && record.Name == f.record.Name:
			same = append(same, record)
		case tagged:
			others, otherTag = append(others, record), true
		default:
			digests = append(digests, record)
		}
	}
	if otherTag {
		return same, append(others, digests...)
	}
	return append(same, digests...), others
}

// untag removes records. If they are an image's last, it goes on without a name.
func (m *Manager) untag(ctx context.Context, list []images.Image, last bool) (out []image.DeleteResponse, err error) {
	if last && len(list) > 0 {
		_, err := m.images.Create(ctx, images.Image{Name: danglingName(list[0].Target.Digest), Target: list[0].Target})
		if err != nil && !errdefs.IsAlreadyExists(err) {
			return nil, fmt.Errorf("cannot write to the image database: %w", err)
		}
	}
	for _, record := range list {
		attributes := m.attributes(ctx, record, familiar(record))
		if err := m.images.Delete(ctx, record.Name); err != nil && !errdefs.IsNotFound(err) {
			return out, fmt.Errorf("cannot write to the image database: %w", err)
		}
		if !isDangling(record.Name) {
			m.emit("untag", record.Target.Digest.String(), attributes)
			out = append(out, image.DeleteResponse{Untagged: familiar(record)})
		}
	}
	return out, nil
}

// remove removes an image with all its names and what only it has.
func (m *Manager) remove(ctx context.Context, all []images.Image) ([]image.DeleteResponse, error) {
	out, err := m.deleteAll(ctx, all)
	m.collect(ctx)
	return out, err
}

// deleteAll removes all records of an image.
func (m *Manager) deleteAll(ctx context.Context, all []images.Image) ([]image.DeleteResponse, error) {
	id := all[0].Target.Digest.String()
	attributes := m.attributes(ctx, all[0], id)
	out, err := m.untag(ctx, all, false)
	if err != nil {
		return out, err
	}
	m.emit("delete", id, attributes)
	return append(out, image.DeleteResponse{Deleted: id}), nil
}

// deletePlatforms removes the manifests of platforms, and so what only they have.
func (m *Manager) deletePlatforms(ctx context.Context, f *found, only []ocispec.Platform) (out []image.DeleteResponse, err error) {
	list, err := m.manifests(ctx, f.any().Target)
	if err != nil {
		return nil, err
	}
	for _, p := range only {
		best := bestOf(list, &p)
		if best == nil {
			return out, api.Errorf(errdefs.ErrNotFound, "image with reference %s was found but does not provide the specified platform", familiar(f.any()))
		}
		for _, desc := range []ocispec.Descriptor{best.desc, best.config} {
			if err := m.content.Delete(ctx, desc.Digest); err != nil && !errdefs.IsNotFound(err) {
				return out, fmt.Errorf("cannot remove %s: %w", desc.Digest, err)
			}
		}
		out = append(out, image.DeleteResponse{Deleted: best.desc.Digest.String()})
	}
	m.collect(ctx)
	return out, nil
}
