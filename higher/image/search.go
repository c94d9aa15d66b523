package image

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/containerd/errdefs"
	"github.com/dhow-containers/dhow/higher/api"
	"github.com/moby/moby/api/types/registry"
)

const (
	searchLimit = 25 // results, unless a client says otherwise
	searchMax   = 100
	searchHost  = "index.docker.io"
)

// ImageSearch searches Docker Hub, or the registry that stands before the term, by the search of registries of version 1.
func (m *Manager) ImageSearch(ctx context.Context, term string, limit int, f api.Filters, auth *registry.AuthConfig) ([]registry.SearchResult, error) {
	if limit == 0 {
		limit = searchLimit
	}
	if limit < 1 || limit > searchMax {
		return nil, api.Errorf(errdefs.ErrInvalidArgument, "limit %d is outside the range of [1, %d]", limit, searchMax)
	}
	keep, err := searchFilter(f)
	if err != nil {
		return nil, err
	}
	host := searchHost
	if domain, rest, ok := strings.Cut(term, "/"); ok && (strings.ContainsAny(domain, ".:") || domain == "localhost") {
		term = rest
		if domain != hub && domain != searchHost {
			host = domain
		}
	} else if !ok || domain != "library" {
		term = strings.TrimPrefix(term, "library/")
	}
	s, err := m.connectDomain(ctx, host, auth)
	if err != nil {
		return nil, err
	}
	defer s.close()
	h := s.own()
	answer, err := s.get(ctx, h, fmt.Sprintf("%s://%s/v1/search?q=%s&n=%d", h.Scheme, h.Host, url.QueryEscape(term), limit))
	if err != nil {
		return nil, s.searchError(host, err)
	}
	defer func() { _ = answer.Body.Close() }()
	var page registry.SearchResults
	if err := json.NewDecoder(io.LimitReader(answer.Body, maxDocument)).Decode(&page); err != nil {
		return nil, fmt.Errorf("cannot read what %s found: %w", host, err)
	}
	return slices.DeleteFunc(page.Results, func(r registry.SearchResult) bool { return !keep(&r) }), nil
}

// searchError is an error of a search in Docker's words; what would help is in ours.
func (s *session) searchError(host string, err error) error {
	if code := statusOf(err); code != 0 && !unauthorized(err) {
		return api.Errorf(errdefs.ErrUnknown, "unexpected status code %d", code)
	}
	var e *url.Error
	if host == searchHost || !errors.As(err, &e) {
		return err
	}
	h := s.own()
	text := fmt.Sprintf("invalid registry endpoint %s://%s/v1/: Get %q: %v", h.Scheme, host, h.Scheme+"://"+host+"/v1/_ping", e.Err)
	if !s.m.insecure(s.ctx, host) {
		text += fmt.Sprintf("; for a registry without TLS, or with a certificate of an unknown authority: --insecure-registry %s, or the authority's certificate in /etc/docker/certs.d/%s", host, host)
	}
	return api.Errorf(errdefs.ErrInvalidArgument, "%s", text)
}

// searchFilter makes a filter of what a client wants to find.
func searchFilter(f api.Filters) (func(*registry.SearchResult) bool, error) {
	var all []func(*registry.SearchResult) bool
	for key, values := range f {
		switch key {
		case "is-official", "is-automated":
			want, err := boolean(key, values)
			if err != nil {
				return nil, err
			}
			all = append(all, func(r *registry.SearchResult) bool {
				if key == "is-official" {
					return r.IsOfficial == want
				}
				return r.IsAutomated == want //nolint:staticcheck // clients may still ask for it
			})
		case "stars":
			for _, v := range values {
				n, err := strconv.Atoi(v)
				if err != nil {
					return nil, api.Errorf(errdefs.ErrInvalidArgument, "invalid filter 'stars=%s': %v", v, err)
				}
				all = append(all, func(r *registry.SearchResult) bool { return r.StarCount >= n })
			}
		default:
			return nil, api.Errorf(errdefs.ErrInvalidArgument, "invalid filter '%s'", key)
		}
	}
	return func(r *registry.SearchResult) bool {
		for _, one := range all {
			if !one(r) {
				return false
			}
		}
		return true
	}, nil
}
