package container

import (
	"context"
	"io"

	"github.com/containerd/errdefs"
	"github.com/dhow-containers/dhow/higher/api"
	types "github.com/moby/moby/api/types/container"
	net "github.com/moby/moby/api/types/network"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

var errSoon = errdefs.ErrNotImplemented

// Manager holds the containers.
type Manager struct{ Options }

// Open loads the records.
func Open(ctx context.Context, o Options) (*Manager, error) { return &Manager{o}, nil }

// Restore takes over the containers of a daemon before this one. It is called once, before anything else.
func (m *Manager) Restore(ctx context.Context) error { return errSoon }

// Close ends the manager. Containers go on with LiveRestore, else they are stopped.
func (m *Manager) Close(ctx context.Context) error { return errSoon }

// Record returns what is known of a container, by name, id or the beginning of an id.
func (m *Manager) Record(name string) (*Record, error) { return nil, errSoon }

// Counts says how many containers there are, by state.
func (m *Manager) Counts() (running, paused, stopped int) { return 0, 0, 0 }

// ImagesInUse returns the containers of each image, by its id.
func (m *Manager) ImagesInUse() map[string][]string { return nil }

// IsRunning says whether the container with an id runs.
func (m *Manager) IsRunning(id string) bool { return false }

// DiskUsage is the part of `docker system df` about containers.
func (m *Manager) DiskUsage(ctx context.Context, verbose bool) (*types.DiskUsage, error) {
	return nil, errSoon
}

// WhilePaused calls fn while a container, if it runs, is paused.
func (m *Manager) WhilePaused(ctx context.Context, name string, fn func(*Record) error) error {
	return errSoon
}

// NetworkConnect gives a container a place in a network, whether it runs or not.
func (m *Manager) NetworkConnect(ctx context.Context, name string, r *net.ConnectRequest) error {
	return errSoon
}

// NetworkDisconnect takes a container's place in a network.
func (m *Manager) NetworkDisconnect(ctx context.Context, name string, r *net.DisconnectRequest) error {
	return errSoon
}

func (m *Manager) ContainerCreate(ctx context.Context, name string, r *types.CreateRequest, platform *ocispec.Platform, version string) (types.CreateResponse, error) {
	return types.CreateResponse{}, errSoon
}
func (m *Manager) ContainerList(ctx context.Context, o api.ContainerListOptions) ([]types.Summary, error) {
	return nil, errSoon
}
func (m *Manager) ContainerInspect(ctx context.Context, name string, size bool) (*types.InspectResponse, error) {
	return nil, errSoon
}
func (m *Manager) ContainerStart(ctx context.Context, name string) error { return errSoon }
func (m *Manager) ContainerStop(ctx context.Context, name string, o api.StopOptions) error {
	return errSoon
}
func (m *Manager) ContainerRestart(ctx context.Context, name string, o api.StopOptions) error {
	return errSoon
}
func (m *Manager) ContainerKill(ctx context.Context, name, signal string) error { return errSoon }
func (m *Manager) ContainerPause(ctx context.Context, name string) error        { return errSoon }
func (m *Manager) ContainerUnpause(ctx context.Context, name string) error      { return errSoon }
func (m *Manager) ContainerRename(ctx context.Context, name, to string) error   { return errSoon }
func (m *Manager) ContainerUpdate(ctx context.Context, name string, u *types.UpdateConfig) (types.UpdateResponse, error) {
	return types.UpdateResponse{}, errSoon
}
func (m *Manager) ContainerRemove(ctx context.Context, name string, o api.RemoveOptions) error {
	return errSoon
}
func (m *Manager) ContainerPrune(ctx context.Context, f api.Filters) (types.PruneReport, error) {
	return types.PruneReport{}, errSoon
}
func (m *Manager) ContainerWait(ctx context.Context, name string, c types.WaitCondition) (<-chan types.WaitResponse, error) {
	return nil, errSoon
}
func (m *Manager) ContainerTop(ctx context.Context, name, psArgs string) (types.TopResponse, error) {
	return types.TopResponse{}, errSoon
}
func (m *Manager) ContainerChanges(ctx context.Context, name string) ([]types.FilesystemChange, error) {
	return nil, errSoon
}
func (m *Manager) ContainerStats(ctx context.Context, name string, stream, oneShot bool, emit func(*types.StatsResponse) error) error {
	return errSoon
}
func (m *Manager) ContainerExport(ctx context.Context, name string, w io.Writer) error {
	return errSoon
}
func (m *Manager) ContainerStatPath(ctx context.Context, name, path string) (*types.PathStat, error) {
	return nil, errSoon
}
func (m *Manager) ContainerArchive(ctx context.Context, name, path string) (io.ReadCloser, *types.PathStat, error) {
	return nil, nil, errSoon
}
func (m *Manager) ContainerExtract(ctx context.Context, name, path string, o api.ExtractOptions, tar io.Reader) error {
	return errSoon
}
func (m *Manager) ContainerAttach(ctx context.Context, name string, o api.AttachOptions, s api.Streams) error {
	return errSoon
}
func (m *Manager) ContainerLogs(ctx context.Context, name string, o api.LogsOptions, s api.Streams) error {
	return errSoon
}
func (m *Manager) ContainerResize(ctx context.Context, name string, height, width uint32) error {
	return errSoon
}
func (m *Manager) ExecCreate(ctx context.Context, name string, r *types.ExecCreateRequest) (string, error) {
	return "", errSoon
}
func (m *Manager) ExecStart(ctx context.Context, id string, r *types.ExecStartRequest, s api.Streams) error {
	return errSoon
}
func (m *Manager) ExecResize(ctx context.Context, id string, height, width uint32) error {
	return errSoon
}
func (m *Manager) ExecInspect(ctx context.Context, id string) (*types.ExecInspectResponse, error) {
	return nil, errSoon
}
