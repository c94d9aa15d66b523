package image

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/containerd/containerd/v2/core/remotes/docker"
	remoteerrors "github.com/containerd/containerd/v2/core/remotes/errors"
	"github.com/containerd/errdefs"
	"github.com/dhow-containers/dhow/higher/api"
	"github.com/moby/moby/api/types/registry"
)

// Login checks a client's credentials with their registry. Where the registry hands one out, the client gets a token to
// keep in place of the password.
func (m *Manager) Login(ctx context.Context, a *registry.AuthConfig) (*registry.AuthResponse, error) {
	domain := serverDomain(a.ServerAddress)
	if _, err := url.Parse("https://" + domain); err != nil {
		return nil, api.Errorf(errdefs.ErrInvalidArgument, "unable to parse server address: %v", err)
	}
	s, err := m.connectDomain(ctx, domain, a)
	if err != nil {
		return nil, err
	}
	defer s.close()
	h := s.own()
	out := &registry.AuthResponse{Status: "Login Succeeded"}
	if a.RegistryToken == "" {
		h.Authorizer = docker.NewDockerAuthorizer(docker.WithAuthClient(h.Client), docker.WithAuthCreds(credentials(a)),
			docker.WithAuthHeader(http.Header{"User-Agent": {userAgent}}),
			docker.WithFetchRefreshToken(func(_ context.Context, token string, _ *http.Request) { out.IdentityToken = token }))
	}
	target := h.Scheme + "://" + h.Host + h.Path + "/"
	answer, err := s.get(ctx, h, target)
	switch {
	case err == nil:
		_ = answer.Body.Close()
		return out, nil
	case refusedAt(err, h.Path+"/"):
		return nil, api.Errorf(errdefs.ErrUnauthenticated, "login attempt to %s failed with status: %d %s", s.base(), statusOf(err), http.StatusText(statusOf(err)))
	case unauthorized(err):
		return nil, api.Errorf(errdefs.ErrUnauthenticated, "Get %q: %s", target, or(said(err), "unauthorized: incorrect username or password"))
	case ofNetwork(err):
		return nil, s.unreached(err)
	}
	return nil, err
}

// refusedAt says whether it was the registry itself that refused, not the server of its tokens.
func refusedAt(err error, path string) bool {
	var status remoteerrors.ErrUnexpectedStatus
	if !errors.As(err, &status) {
		return false
	}
	u, e := url.Parse(status.RequestURL)
	return e == nil && u.Path == path && (status.StatusCode == http.StatusUnauthorized || status.StatusCode == http.StatusForbidden)
}

// serverDomain is the registry that a server's address is about, as names of images have it.
func serverDomain(address string) string {
	if _, rest, ok := strings.Cut(address, "://"); ok {
		address = rest
	}
	address, _, _ = strings.Cut(address, "/")
	switch address {
	case "", "index.docker.io", hubHost:
		return hub
	}
	return address
}
