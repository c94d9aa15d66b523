package image

import (
	"context"
	"io"

	"github.com/containerd/errdefs"
	"github.com/dhow-containers/dhow/higher/api"
	"github.com/dhow-containers/dhow/higher/task"
	types "github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/image"
	"github.com/moby/moby/api/types/registry"
	digest "github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

var _ api.Images = (*Manager)(nil)

// Manager holds the images.
type Manager struct{}

var errNotYet = errdefs.ErrNotImplemented.WithMessage("not implemented yet")

// Open opens the images below Options.Root.
func Open(ctx context.Context, o Options) (*Manager, error) { return &Manager{}, nil }

// Close releases the database.
func (m *Manager) Close() error { return nil }

func (m *Manager) Resolve(ctx context.Context, name string, p *ocispec.Platform) (*Image, error) {
	return nil, errNotYet
}
func (m *Manager) Prepare(ctx context.Context, container string, img *Image) error { return errNotYet }
func (m *Manager) Mounts(ctx context.Context, container string) ([]task.Mount, error) {
	return nil, errNotYet
}
func (m *Manager) Release(ctx context.Context, container string) error        { return errNotYet }
func (m *Manager) Containers(ctx context.Context) ([]string, error)           { return nil, errNotYet }
func (m *Manager) Usage(ctx context.Context, container string) (int64, error) { return 0, errNotYet }
func (m *Manager) ImageSize(ctx context.Context, img *Image) (int64, error)   { return 0, errNotYet }
func (m *Manager) Changes(ctx context.Context, container string) ([]types.FilesystemChange, error) {
	return nil, errNotYet
}
func (m *Manager) Commit(ctx context.Context, r CommitRequest) (digest.Digest, error) {
	return "", errNotYet
}
func (m *Manager) DiskUsage(ctx context.Context, verbose bool) (*image.DiskUsage, error) {
	return nil, errNotYet
}
func (m *Manager) Login(ctx context.Context, a *registry.AuthConfig) (*registry.AuthResponse, error) {
	return nil, errNotYet
}
func (m *Manager) ImageList(ctx context.Context, o api.ImageListOptions) ([]image.Summary, error) {
	return nil, errNotYet
}
func (m *Manager) ImageInspect(ctx context.Context, name string, o api.ImageInspectOptions) (*image.InspectResponse, error) {
	return nil, errNotYet
}
func (m *Manager) ImageHistory(ctx context.Context, name string, platform *ocispec.Platform) ([]image.HistoryResponseItem, error) {
	return nil, errNotYet
}
func (m *Manager) ImagePull(ctx context.Context, ref string, all bool, platform *ocispec.Platform, auth *registry.AuthConfig, p api.Progress) error {
	return errNotYet
}
func (m *Manager) ImagePush(ctx context.Context, ref string, all bool, platform *ocispec.Platform, auth *registry.AuthConfig, p api.Progress) error {
	return errNotYet
}
func (m *Manager) ImageTag(ctx context.Context, name, repo, tag string) error { return errNotYet }
func (m *Manager) ImageDelete(ctx context.Context, name string, force, prune bool, platforms []ocispec.Platform) ([]image.DeleteResponse, error) {
	return nil, errNotYet
}
func (m *Manager) ImagePrune(ctx context.Context, f api.Filters) (image.PruneReport, error) {
	return image.PruneReport{}, errNotYet
}
func (m *Manager) ImageSearch(ctx context.Context, term string, limit int, f api.Filters, auth *registry.AuthConfig) ([]registry.SearchResult, error) {
	return nil, errNotYet
}
func (m *Manager) ImageSave(ctx context.Context, names []string, platforms []ocispec.Platform, w io.Writer) error {
	return errNotYet
}
func (m *Manager) ImageLoad(ctx context.Context, r io.Reader, platforms []ocispec.Platform, p api.Progress) error {
	return errNotYet
}
func (m *Manager) ImageImport(ctx context.Context, o api.ImportOptions, r io.Reader, p api.Progress) error {
	return errNotYet
}
func (m *Manager) DistributionInspect(ctx context.Context, ref string, auth *registry.AuthConfig) (*registry.DistributionInspect, error) {
	return nil, errNotYet
}
