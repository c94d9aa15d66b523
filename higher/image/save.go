package image

import (
	"archive/tar"
	"context"
	"encoding/json"
	"fmt"
	"io"

	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/containerd/v2/core/images/archive"
	"github.com/containerd/containerd/v2/core/leases"
	"github.com/containerd/platforms"
	"github.com/distribution/reference"
	digest "github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// toSave is an image that goes into an archive, with the names that it has there.
type toSave struct {
	target ocispec.Descriptor
	names  []string
}

// ImageSave writes images to an archive that is an OCI layout and has what `docker load` of any version reads. A name
// without a tag stands for all tags of its repository.
func (m *Manager) ImageSave(ctx context.Context, names []string, only []ocispec.Platform, w io.Writer) error {
	ctx, release, err := m.hold(ctx, false)
	if err != nil {
		return err
	}
	defer release()
	list, err := m.toSave(ctx, names, only)
	if err != nil {
		return err
	}
	if err := m.writeRepositories(ctx, list, w); err != nil {
		return err
	}
	var match platforms.MatchComparer = preferred{}
	if len(only) > 0 {
		match = platforms.Any(only...)
	}
	opts := []archive.ExportOpt{archive.WithSkipNonDistributableBlobs(), archive.WithPlatform(match), archive.WithSkipMissing(m.content)}
	for _, one := range list {
		opts = append(opts, archive.WithManifest(one.target, one.names...))
	}
	if err := archive.Export(ctx, m.content, w, opts...); err != nil {
		return fmt.Errorf("cannot save: %w", err)
	}
	for _, one := range list {
		id := one.target.Digest.String()
		m.emit("save", id, m.attributes(ctx, images.Image{Target: one.target, Name: id}, id))
	}
	return nil
}

// preferred matches every platform, the host's first.
type preferred struct{}

func (preferred) Match(ocispec.Platform) bool { return true }
func (preferred) Less(a, b ocispec.Platform) bool {
	host := platforms.Only(Host())
	if fa, fb := host.Match(a), host.Match(b); fa != fb {
		return fa
	}
	return host.Less(a, b)
}

// toSave finds the images that names stand for, each once, and pins them.
func (m *Manager) toSave(ctx context.Context, names []string, only []ocispec.Platform) ([]*toSave, error) {
	at := map[digest.Digest]*toSave{}
	var out []*toSave
	for _, name := range names {
		records, named, err := m.meant(ctx, name)
		if err != nil {
			return nil, err
		}
		for _, record := range records {
			target := record.Target
			if len(only) == 1 {
				one, err := m.choose(ctx, target, &only[0], familiar(record))
				if err != nil {
					return nil, fmt.Errorf("no suitable export target found: %w", err)
				}
				target = one.desc
			}
			one := at[target.Digest]
			if one == nil {
				one = &toSave{target: plain(target)}
				at[target.Digest] = one
				out = append(out, one)
				if err := m.pin(ctx, record.Target); err != nil {
					return nil, err
				}
			}
			if named && !isDangling(record.Name) {
				one.names = append(one.names, record.Name)
			}
		}
	}
	return out, nil
}

// meant are the records that a name stands for, and whether it is as a name that they are meant.
func (m *Manager) meant(ctx context.Context, name string) (records []images.Image, named bool, err error) {
	f, err := m.find(ctx, name)
	if err == nil && f.record == nil {
		return f.all[:1], false, nil
	}
	parsed, e := parseRef(name)
	if e != nil || !reference.IsNameOnly(parsed) {
		if err != nil {
			return nil, false, err
		}
		return []images.Image{*f.record}, true, nil
	}
	if records, e := m.toPush(ctx, parsed, true); e == nil {
		return records, true, nil
	}
	if err == nil {
		return []images.Image{*f.record}, true, nil
	}
	return nil, false, err
}

// pin keeps an image for as long as the context's lease.
func (m *Manager) pin(ctx context.Context, target ocispec.Descriptor) error {
	id, ok := leases.FromContext(ctx)
	if !ok {
		return nil
	}
	err := m.leases.AddResource(ctx, leases.Lease{ID: id}, leases.Resource{ID: target.Digest.String(), Type: "content"})
	if err != nil {
		return fmt.Errorf("cannot write to the image database: %w", err)
	}
	return nil
}

// writeRepositories begins an archive with what Docker before 1.10 reads.
func (m *Manager) writeRepositories(ctx context.Context, list []*toSave, w io.Writer) error {
	out := map[string]map[string]string{}
	for _, one := range list {
		best, err := m.choose(ctx, one.target, nil, one.target.Digest.String())
		if err != nil || len(best.layers) == 0 {
			continue
		}
		for _, name := range one.names {
			named, err := parseRef(name)
			if err != nil {
				return err
			}
			repo := reference.FamiliarName(named)
			if out[repo] == nil {
				out[repo] = map[string]string{}
			}
			out[repo][tagOf(named)] = best.layers[len(best.layers)-1].Digest.Encoded()
		}
	}
	if len(out) == 0 {
		return nil
	}
	raw, err := json.Marshal(out)
	if err != nil {
		return err
	}
	tw := tar.NewWriter(w)
	if err := tw.WriteHeader(&tar.Header{Name: "repositories", Mode: 0o444, Size: int64(len(raw)), Typeflag: tar.TypeReg}); err != nil {
		return err
	}
	if _, err := tw.Write(raw); err != nil {
		return err
	}
	return tw.Flush() // the rest of the archive follows
}
