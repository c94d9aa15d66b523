package image

import (
	"context"
	"io"

	"github.com/containerd/errdefs"
	"github.com/dhow-containers/dhow/higher/api"
	types "github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/registry"
	digest "github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

var errNotYet = errdefs.ErrNotImplemented.WithMessage("not implemented yet")

func (m *Manager) Changes(ctx context.Context, container string) ([]types.FilesystemChange, error) {
	return nil, errNotYet
}
func (m *Manager) Commit(ctx context.Context, r CommitRequest) (digest.Digest, error) {
	return "", errNotYet
}
func (m *Manager) Login(ctx context.Context, a *registry.AuthConfig) (*registry.AuthResponse, error) {
	return nil, errNotYet
}
func (m *Manager) ImageSearch(ctx context.Context, term string, limit int, f api.Filters, auth *registry.AuthConfig) ([]registry.SearchResult, error) {
	return nil, errNotYet
}
func (m *Manager) ImageSave(ctx context.Context, names []string, platforms []ocispec.Platform, w io.Writer) error {
	return errNotYet
}
func (m *Manager) DistributionInspect(ctx context.Context, ref string, auth *registry.AuthConfig) (*registry.DistributionInspect, error) {
	return nil, errNotYet
}
