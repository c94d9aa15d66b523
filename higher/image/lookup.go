package image

import (
	"context"
	"sort"
	"strings"

	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/errdefs"
	"github.com/dhow-containers/dhow/higher/api"
	"github.com/distribution/reference"
	digest "github.com/opencontainers/go-digest"
)

// found is what a name stands for.
type found struct {
	record *images.Image  // that of the name; nil when the image was asked for by id or digest
	all    []images.Image // all records of the image, by name, at least one
	byID   bool
}

// target is the image's id.
func (f *found) target() digest.Digest { return f.all[0].Target.Digest }

// any is a record of the image, the name's if there is one.
func (f *found) any() images.Image {
	if f.record != nil {
		return *f.record
	}
	return f.all[0]
}

// find finds an image by name[:tag], name[:tag]@digest, id or the beginning of an id.
func (m *Manager) find(ctx context.Context, name string) (*found, error) {
	if hex := strings.TrimPrefix(name, "sha256:"); len(hex) == 64 && isHex(hex) {
		return m.findID(ctx, name, hex)
	}
	if strings.HasPrefix(name, "sha256:") && idPrefix(name) != "" {
		return m.findID(ctx, name, idPrefix(name))
	}
	named, err := parseRef(name)
	if err != nil {
		return nil, err
	}
	if digested, ok := named.(reference.Digested); ok {
		return m.findDigest(ctx, name, named, digested.Digest())
	}
	record, err := m.images.Get(ctx, reference.TagNameOnly(named).String())
	if errdefs.IsNotFound(err) {
		if hex := idPrefix(name); hex != "" {
			return m.findID(ctx, name, hex)
		}
		return nil, noImage(name)
	}
	if err != nil {
		return nil, err
	}
	all, err := m.records(ctx, record.Target.Digest)
	if err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return nil, noImage(name) // it went meanwhile
	}
	return &found{record: &record, all: all}, nil
}

// records are the records of an image.
func (m *Manager) records(ctx context.Context, id digest.Digest) ([]images.Image, error) {
	return m.images.List(ctx, "target.digest=="+id.String())
}

// findDigest finds an image by digest in a repository.
func (m *Manager) findDigest(ctx context.Context, name string, named reference.Named, d digest.Digest) (*found, error) {
	all, err := m.records(ctx, d)
	if err != nil {
		return nil, err
	}
	for i := range all {
		if n, err := reference.ParseNormalizedNamed(all[i].Name); err == nil && n.Name() == named.Name() {
			f := &found{all: all, byID: true}
			if record, err := m.images.Get(ctx, recordName(named)); err == nil && record.Target.Digest == d {
				f.record, f.byID = &record, false
			}
			return f, nil
		}
	}
	return nil, noImage(name)
}

// findID finds an image by the beginning of its id.
func (m *Manager) findID(ctx context.Context, name, hex string) (*found, error) {
	var all []images.Image
	var err error
	if len(hex) == 64 {
		all, err = m.records(ctx, digest.NewDigestFromEncoded(digest.SHA256, hex))
	} else if all, err = m.images.List(ctx); err == nil {
		kept := all[:0]
		for _, record := range all {
			if strings.HasPrefix(record.Target.Digest.Encoded(), hex) {
				kept = append(kept, record)
			}
		}
		all = kept
	}
	if err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return nil, noImage(name)
	}
	sort.SliceStable(all, func(i, j int) bool { return !isDangling(all[i].Name) && isDangling(all[j].Name) })
	for _, record := range all {
		if record.Target.Digest != all[0].Target.Digest {
			return nil, api.Errorf(errdefs.ErrNotFound, "No such image: %s: the id is ambiguous", name)
		}
	}
	return &found{all: all, byID: true}, nil
}
