package image

import (
	"context"
	"encoding/json"
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
	query := url.Values{"q": {term}, "n": {strconv.Itoa(limit)}}
	answer, err := s.get(ctx, h, h.Scheme+"://"+h.Host+"/v1/search?"+query.Encode())
	if err != nil {
		return nil, err
	}
	defer func() { _ = answer.Body.Close() }()
	var page registry.SearchResults
	if err := json.NewDecoder(io.LimitReader(answer.Body, maxDocument)).Decode(&page); err != nil {
		return nil, fmt.Errorf("cannot read what %s found: %w", host, err)
	}
	return slices.DeleteFunc(page.Results, func(r registry.SearchResult) bool { return !keep(&r) }), nil
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
					return nil, api.Errorf(errdefs.ErrInvalidArgument, "invalid filter 'stars=%s'", v)
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
