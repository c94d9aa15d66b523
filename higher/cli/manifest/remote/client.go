package remote

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/containerd/errdefs"
	"github.com/distribution/reference"
	"github.com/moby/moby/api/types/registry"

	"github.com/dhow-containers/dhow/higher/image/trust"
)

const (
	hub     = "docker.io"            // as names have it
	hubHost = "registry-1.docker.io" // where it answers
)

// Client talks to registries.
type Client struct {
	Insecure    bool // any certificate will do, and no TLS
	UserAgent   string
	Credentials func(domain string) (registry.AuthConfig, error)

	pushes map[string]*session // by repository
}

// endpoint is an address at which a registry may answer.
type endpoint struct {
	url   url.URL
	loose bool // any certificate will do
}

// endpoints are those of the registry of a name, in the order in which they are tried. Registries on a loopback address have
// both, as in docker.
func (c *Client) endpoints(ctx context.Context, domain string) []endpoint {
	if domain == hub {
		return []endpoint{{url: url.URL{Scheme: "https", Host: hubHost}, loose: c.Insecure}}
	}
	loose := c.Insecure || trust.Within(ctx, domain, trust.Loopback())
	all := []endpoint{{url: url.URL{Scheme: "https", Host: domain}, loose: loose}}
	if loose {
		all = append(all, endpoint{url: url.URL{Scheme: "http", Host: domain}, loose: loose})
	}
	return all
}

// noTLS is the error of an address that wants TLS of a server that has none.
type noTLS struct{ error }

func (e noTLS) Unwrap() error { return e.error }

// open begins a session at an address: it asks for the version of the API, and learns how to authenticate.
func (c *Client) open(ctx context.Context, named reference.Named, at endpoint, actions string) (*session, error) {
	s, err := c.try(ctx, named, at, actions)
	if err == nil || !strings.Contains(err.Error(), "server gave HTTP response to HTTPS client") {
		return s, err
	}
	if !at.loose {
		return nil, noTLS{err}
	}
	at.url.Scheme = "http"
	return c.try(ctx, named, at, actions)
}

func (c *Client) try(ctx context.Context, named reference.Named, at endpoint, actions string) (*session, error) {
	auth, err := c.Credentials(reference.Domain(named))
	if err != nil {
		return nil, err
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: at.loose}
	if err := trust.Certificates(config, trust.Dirs(), at.url.Host); err != nil {
		return nil, fmt.Errorf("cannot read the certificates for %s: %w", at.url.Host, err)
	}
	s := &session{
		base: at.url.String(), repository: reference.Path(named), agent: c.UserAgent, auth: auth,
		http:  &http.Client{Transport: &http.Transport{Proxy: http.ProxyFromEnvironment, TLSClientConfig: config, TLSHandshakeTimeout: 10 * time.Second, ResponseHeaderTimeout: time.Minute}},
		scope: "repository:" + reference.Path(named) + ":" + actions,
	}
	if err := s.ping(ctx); err != nil {
		return nil, fmt.Errorf("failed to configure transport: error pinging v2 registry: %w", err)
	}
	return s, nil
}

// pull runs do at the addresses of the registry of named, until one has what is asked for.
func (c *Client) pull(ctx context.Context, named reference.Named, do func(*session) error) error {
	tls := false
	for _, at := range c.endpoints(ctx, reference.Domain(named)) {
		if at.url.Scheme == "http" && tls {
			continue
		}
		s, err := c.open(ctx, named, at, "pull")
		if errors.As(err, &noTLS{}) {
			continue
		}
		if err != nil {
			return err
		}
		plain := strings.HasPrefix(s.base, "http:")
		if plain && !c.Insecure {
			continue
		}
		if err := do(s); !elsewhere(err) {
			return err
		}
		tls = tls || !plain
	}
	return errdefs.ErrNotFound.WithMessage("no such manifest: " + named.String())
}

// push returns a session with the repository of named, in which it may write. A registry on a loopback address may have no TLS,
// whether --insecure is given or not; one that has TLS is pushed to as well, which docker fails to do.
func (c *Client) push(ctx context.Context, named reference.Named) (*session, error) {
	if s := c.pushes[named.Name()]; s != nil {
		return s, nil
	}
	at := c.endpoints(ctx, reference.Domain(named))[0]
	s, err := c.open(ctx, named, at, "pull,push")
	if err != nil {
		return nil, err
	}
	if c.pushes == nil {
		c.pushes = map[string]*session{}
	}
	c.pushes[named.Name()] = s
	return s, nil
}
