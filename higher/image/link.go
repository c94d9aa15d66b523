package image

import (
	"fmt"
	"net/url"
	"strings"
)

// following is the next page that a Link header (RFC 8288) tells of, nil when there is none. It must be of the same host.
func following(of *url.URL, link string) (*url.URL, error) {
	target, params, ok := strings.Cut(strings.TrimPrefix(strings.TrimSpace(link), "<"), ">")
	if !ok || !strings.Contains(params, `rel="next"`) && !strings.Contains(params, "rel=next") {
		return nil, nil
	}
	u, err := of.Parse(target)
	if err != nil {
		return nil, fmt.Errorf("cannot read the list of tags: next page: %w", err)
	}
	if u.Host != of.Host {
		return nil, fmt.Errorf("cannot read the list of tags: the next page is on another host, %s", u.Host)
	}
	u.Scheme = of.Scheme
	return u, nil
}
