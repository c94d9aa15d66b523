package image

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"github.com/containerd/containerd/v2/core/remotes/docker"
	remoteerrors "github.com/containerd/containerd/v2/core/remotes/errors"
	"github.com/distribution/reference"
)

// own is the registry itself, not a mirror.
func (s *session) own() docker.RegistryHost { return s.hosts[len(s.hosts)-1] }

// get asks the registry for something, and logs in where it wants that. The body is to be closed.
func (s *session) get(ctx context.Context, h docker.RegistryHost, target string) (*http.Response, error) {
	var answers []*http.Response
	for {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, target, nil)
		if err != nil {
			return nil, err
		}
		r.Header = h.Header.Clone()
		if r.Header == nil {
			r.Header = http.Header{}
		}
		r.Header.Set("User-Agent", userAgent)
		if h.Authorizer != nil {
			if err := h.Authorizer.Authorize(ctx, r); err != nil {
				return nil, err
			}
		}
		a, err := h.Client.Do(r)
		if err != nil {
			return nil, err
		}
		if a.StatusCode < http.StatusBadRequest {
			return a, nil
		}
		answers = append(answers, a)
		refused := remoteerrors.NewUnexpectedStatusErr(a)
		_ = a.Body.Close()
		if a.StatusCode != http.StatusUnauthorized || h.Authorizer == nil || len(answers) > 2 {
			return nil, refused
		}
		if err := h.Authorizer.AddResponses(ctx, answers); err != nil {
			return nil, errors.Join(refused, err)
		}
	}
}

// maxTags bounds the pages of a list of tags.
const maxTags = 100_000

// tags lists the tags of a repository.
func (s *session) tags(ctx context.Context, named reference.Named) (list []string, err error) {
	h := s.own()
	ctx = docker.WithScope(ctx, "repository:"+reference.Path(named)+":pull")
	next := &url.URL{Scheme: h.Scheme, Host: h.Host, Path: h.Path + "/" + reference.Path(named) + "/tags/list"}
	for next != nil && len(list) < maxTags {
		a, err := s.get(ctx, h, next.String())
		if err != nil {
			return nil, err
		}
		var page struct{ Tags []string }
		err = json.NewDecoder(io.LimitReader(a.Body, maxDocument)).Decode(&page)
		_ = a.Body.Close()
		if err != nil {
			return nil, fmt.Errorf("cannot read the list of tags: %w", err)
		}
		list = append(list, page.Tags...)
		if next, err = following(next, a.Header.Get("Link")); err != nil {
			return nil, err
		}
	}
	return list, nil
}
