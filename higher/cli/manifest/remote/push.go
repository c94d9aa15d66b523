package remote

import (
	"context"
	"fmt"
	"net/http"
	"net/url"

	"github.com/distribution/reference"
	"github.com/opencontainers/go-digest"
)

// Mount makes a blob of one repository one of another in the same registry, without its content being moved. A registry that
// cannot begins an upload instead, which is cancelled: that is false, and no error.
func (c *Client) Mount(ctx context.Context, blob digest.Digest, from string, to reference.Named) (bool, error) {
	s, err := c.push(ctx, to)
	if err != nil {
		return false, err
	}
	fail := func(err error) error {
		return fmt.Errorf("failed to mount blob %s@%s to %s: %w", from, blob, to, err)
	}
	r, err := s.do(ctx, http.MethodPost, "/blobs/uploads/", url.Values{"mount": {blob.String()}, "from": {from}}, nil, nil)
	if err != nil {
		return false, fail(err)
	}
	switch r.status {
	case http.StatusCreated:
		return true, nil
	case http.StatusAccepted:
		s.cancel(ctx, r.header.Get("Location"))
		return false, nil
	}
	return false, fail(r.err())
}

// cancel gives up an upload, if the registry lets us: it ends by itself some day.
func (s *session) cancel(ctx context.Context, location string) {
	base, err := url.Parse(s.base)
	if err != nil {
		return
	}
	to, err := base.Parse(location)
	if err != nil || to.Host != base.Host || to.Scheme != base.Scheme { // no one else gets our credentials
		return
	}
	h := http.Header{}
	if s.authorize(ctx, h, "") == nil {
		s.send(ctx, http.MethodDelete, to.String(), h, nil)
	}
}

// Put writes a manifest under a tag or a digest, and returns the digest that the registry says it has.
func (c *Client) Put(ctx context.Context, ref reference.Named, mediaType string, raw []byte) (digest.Digest, error) {
	s, err := c.push(ctx, ref)
	if err != nil {
		return "", err
	}
	r, err := s.do(ctx, http.MethodPut, "/manifests/"+under(ref), nil, http.Header{"Content-Type": {mediaType}}, raw)
	if err == nil && !r.ok() {
		err = r.err()
	}
	if err != nil {
		return "", fmt.Errorf("failed to put manifest %s: %w", ref, err)
	}
	d, err := digest.Parse(r.header.Get("Docker-Content-Digest"))
	if err != nil {
		return "", fmt.Errorf("failed to put manifest %s: %w", ref, err)
	}
	return d, nil
}
