package image

import (
	"context"
	"net/http"
	"strings"

	"github.com/containerd/containerd/v2/core/remotes/docker"
	"github.com/containerd/errdefs"
	"github.com/dhow-containers/dhow/higher/api"
	"github.com/moby/moby/api/types/registry"
)

// Login checks a client's credentials with their registry. Where the registry hands one out, the client gets a token to
// keep in place of the password.
func (m *Manager) Login(ctx context.Context, a *registry.AuthConfig) (*registry.AuthResponse, error) {
	domain := serverDomain(a.ServerAddress)
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
	case unauthorized(err):
		return nil, api.Errorf(errdefs.ErrUnauthenticated, "Get %q: %s", target, or(said(err), "unauthorized: incorrect username or password"))
	}
	return nil, plainRequest(err)
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
