package remote

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"

	"github.com/distribution/reference"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/dhow-containers/dhow/higher/cli/manifest/lists"
)

// accepted are the kinds of manifests that we can read.
var accepted = []string{lists.DockerManifest, lists.DockerList, ocispec.MediaTypeImageManifest, ocispec.MediaTypeImageIndex}

// ErrList is the error of an image that is a list of them.
type ErrList struct{ Ref reference.Named }

func (e *ErrList) Error() string { return fmt.Sprintf("%s is a manifest list", e.Ref) }

// Image gets the manifest of an image, and from its config the platform.
func (c *Client) Image(ctx context.Context, ref reference.Named) (i *lists.Image, err error) {
	err = c.pull(ctx, ref, func(s *session) error {
		i, err = s.image(ctx, ref, under(ref))
		return err
	})
	return i, err
}

// List gets a list of images, and all of its images.
func (c *Client) List(ctx context.Context, ref reference.Named) (all []*lists.Image, err error) {
	err = c.pull(ctx, ref, func(s *session) error {
		all, err = s.list(ctx, ref)
		return err
	})
	return all, err
}

// under is the last part of a manifest's URL: a tag where there is one, and the digest is verified.
func under(ref reference.Named) string {
	if t, ok := ref.(reference.Tagged); ok {
		return t.Tag()
	}
	return ref.(reference.Digested).Digest().String()
}

// manifest gets what ref names, verified if that has a digest.
func (s *session) manifest(ctx context.Context, ref reference.Named, at string) (mediaType string, raw []byte, err error) {
	r, err := s.do(ctx, http.MethodGet, "/manifests/"+at, nil, http.Header{"Accept": accepted}, nil)
	if err != nil {
		return "", nil, err
	}
	if !r.ok() {
		return "", nil, r.err()
	}
	if d, ok := ref.(reference.Digested); ok && !verified(d.Digest(), r.body) {
		return "", nil, fmt.Errorf("manifest verification failed for digest %s", d.Digest())
	}
	mediaType, _, err = mime.ParseMediaType(r.header.Get("Content-Type"))
	return mediaType, r.body, err
}

func verified(d digest.Digest, data []byte) bool {
	return d.Validate() == nil && d.Algorithm().FromBytes(data) == d
}

func (s *session) image(ctx context.Context, ref reference.Named, at string) (*lists.Image, error) {
	mediaType, raw, err := s.manifest(ctx, ref, at)
	if err != nil {
		return nil, err
	}
	var m struct {
		ocispec.Manifest
		Manifests json.RawMessage
	}
	switch mediaType {
	case lists.DockerList, ocispec.MediaTypeImageIndex:
		return nil, &ErrList{ref}
	case lists.DockerManifest, ocispec.MediaTypeImageManifest:
	default:
		return nil, fmt.Errorf("unsupported manifest media type and no default available: %s", mediaType)
	}
	if err := json.Unmarshal(raw, &m); err != nil {
		return nil, fmt.Errorf("cannot read the manifest of %s: %w", ref, err)
	}
	switch {
	case m.MediaType != mediaType && (m.MediaType != "" || mediaType == lists.DockerManifest):
		return nil, fmt.Errorf("mediaType in manifest should be '%s' not '%s'", mediaType, m.MediaType)
	case m.Manifests != nil:
		return nil, errors.New("expected manifest but found index")
	}
	p, err := s.platform(ctx, m.Config.Digest)
	if err != nil {
		return nil, err
	}
	return lists.NewImage(ref, mediaType, raw, p), nil
}

// platform is what the config of an image says of it.
func (s *session) platform(ctx context.Context, config digest.Digest) (*ocispec.Platform, error) {
	if err := config.Validate(); err != nil {
		return nil, fmt.Errorf("cannot read the config %q: %w", config, err)
	}
	r, err := s.do(ctx, http.MethodGet, "/blobs/"+config.String(), nil, nil, nil)
	switch {
	case err != nil:
		return nil, err
	case r.status == http.StatusNotFound:
		return nil, errors.New("unknown blob")
	case !r.ok():
		return nil, r.err()
	case !verified(config, r.body):
		return nil, fmt.Errorf("image config verification failed for digest %s", config)
	}
	p := &ocispec.Platform{}
	if err := json.Unmarshal(r.body, p); err != nil {
		return nil, fmt.Errorf("cannot read the config %s: %w", config, err)
	}
	return p, nil
}

func (s *session) list(ctx context.Context, ref reference.Named) ([]*lists.Image, error) {
	mediaType, raw, err := s.manifest(ctx, ref, under(ref))
	if err != nil {
		return nil, err
	}
	if mediaType != lists.DockerList && mediaType != ocispec.MediaTypeImageIndex {
		return nil, fmt.Errorf("unsupported manifest format: %s", mediaType)
	}
	var index ocispec.Index
	if err := json.Unmarshal(raw, &index); err != nil {
		return nil, fmt.Errorf("cannot read the manifest list %s: %w", ref, err)
	}
	var all []*lists.Image
	for _, d := range index.Manifests {
		named, err := reference.WithDigest(ref, d.Digest)
		if err != nil {
			return nil, err
		}
		i, err := s.image(ctx, named, d.Digest.String())
		if err != nil {
			return nil, err
		}
		if i.Descriptor.Platform = d.Platform; d.Platform == nil {
			i.Descriptor.Platform = &ocispec.Platform{}
		}
		all = append(all, i)
	}
	return all, nil
}
