package image

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/containerd/containerd/v2/core/remotes"
	"github.com/containerd/containerd/v2/core/remotes/docker"
	"github.com/containerd/errdefs"
	"github.com/dhow-containers/dhow/higher/api"
	"github.com/distribution/reference"
	"github.com/moby/moby/api/types/registry"
)

const (
	hub     = "docker.io"            // as names have it
	hubHost = "registry-1.docker.io" // where it answers
)

// userAgent is what registries see of us.
const userAgent = "dhow"

// session is what goes on with the registry of one name, with the credentials of one client.
type session struct {
	m       *Manager
	ctx     context.Context // of the request; names of registries are looked up in it
	auth    *registry.AuthConfig
	domain  string // of the name
	clients map[string]*http.Client
	hosts   []docker.RegistryHost // what was made for the domain, mirrors first
}

// connect begins a session with the registry of a name.
func (m *Manager) connect(ctx context.Context, named reference.Named, auth *registry.AuthConfig) (*session, error) {
	return m.connectDomain(ctx, reference.Domain(named), auth)
}

func (m *Manager) connectDomain(ctx context.Context, domain string, auth *registry.AuthConfig) (*session, error) {
	s := &session{m: m, ctx: ctx, auth: auth, domain: domain, clients: map[string]*http.Client{}}
	if domain == hub {
		for _, mirror := range m.reached.Load().mirrors {
			h, err := s.mirror(mirror)
			if err != nil {
				return nil, err
			}
			s.hosts = append(s.hosts, *h)
		}
	}
	host := domain
	if host == hub {
		host = hubHost
	}
	h, err := s.host("https", host, "", credentials(auth))
	if err != nil {
		return nil, err
	}
	h.Capabilities = docker.HostCapabilityPull | docker.HostCapabilityResolve | docker.HostCapabilityPush | docker.HostCapabilityReferrers
	s.hosts = append(s.hosts, *h)
	return s, nil
}

// close ends idle connections.
func (s *session) close() {
	for _, c := range s.clients {
		c.CloseIdleConnections()
	}
}

// mirror makes a host of a mirror's URL.
func (s *session) mirror(raw string) (*docker.RegistryHost, error) {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, api.Errorf(errdefs.ErrInvalidArgument, "the registry mirror %q is not a URL of http or https", raw)
	}
	h, err := s.host(u.Scheme, u.Host, strings.TrimSuffix(u.Path, "/"), nil)
	if err != nil {
		return nil, err
	}
	h.Capabilities = docker.HostCapabilityPull | docker.HostCapabilityResolve
	return h, nil
}

func (s *session) host(scheme, host, prefix string, c func(string) (string, string, error)) (*docker.RegistryHost, error) {
	client, err := s.client(host)
	if err != nil {
		return nil, err
	}
	h := &docker.RegistryHost{Client: client, Host: host, Scheme: scheme, Path: prefix + "/v2"}
	if c != nil && s.auth != nil && s.auth.RegistryToken != "" {
		h.Header = http.Header{"Authorization": {"Bearer " + s.auth.RegistryToken}}
		return h, nil
	}
	h.Authorizer = docker.NewDockerAuthorizer(docker.WithAuthClient(client), docker.WithAuthCreds(c),
		docker.WithAuthHeader(http.Header{"User-Agent": {userAgent}}))
	return h, nil
}

// credentials are a client's, for whoever asks on behalf of the registry: a name and a password, or no name and a token
// that others are got with.
func credentials(auth *registry.AuthConfig) func(string) (string, string, error) {
	return func(string) (string, string, error) {
		switch {
		case auth == nil:
			return "", "", nil
		case auth.IdentityToken != "":
			return "", auth.IdentityToken, nil
		}
		if auth.Username == "" && auth.Auth != "" { // as in Docker's config file
			if raw, err := base64.StdEncoding.DecodeString(auth.Auth); err == nil {
				user, password, _ := strings.Cut(string(raw), ":")
				return user, password, nil
			}
		}
		return auth.Username, auth.Password, nil
	}
}

// client makes the HTTP client for a registry.
func (s *session) client(host string) (*http.Client, error) {
	if c := s.clients[host]; c != nil {
		return c, nil
	}
	t := docker.DefaultHTTPTransport(&tls.Config{MinVersion: tls.VersionTLS12})
	t.MaxIdleConnsPerHost = fetchers
	t.ResponseHeaderTimeout = time.Minute
	var rt http.RoundTripper = t
	if err := s.m.trust(t.TLSClientConfig, host); err != nil {
		return nil, fmt.Errorf("cannot read the certificates for %s: %w", host, err)
	}
	if s.m.insecure(s.ctx, host) {
		t.TLSClientConfig.InsecureSkipVerify = true
		rt = docker.NewHTTPFallback(t)
	}
	c := &http.Client{Transport: rt}
	s.clients[host] = c
	return c, nil
}

// resolver is containerd's, over the session's hosts.
func (s *session) resolver(tracker docker.StatusTracker) remotes.Resolver {
	return docker.NewResolver(docker.ResolverOptions{
		Hosts:   func(string) ([]docker.RegistryHost, error) { return s.hosts, nil },
		Headers: http.Header{"User-Agent": {userAgent}},
		Tracker: tracker,
	})
}
