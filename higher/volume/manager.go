package volume

import (
	"context"
	"log/slog"
	"os"

	"github.com/containerd/errdefs"
	"github.com/dhow-containers/dhow/higher/api"
	types "github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/events"
	"github.com/moby/moby/api/types/volume"
	bolt "go.etcd.io/bbolt"
)

// Options says where a Manager keeps what it knows.
type Options struct {
	DB       *bolt.DB // volumes live in its bucket "volumes"
	Root     string   // the directory of volumes
	DataRoot string   // the engine's directory: binds of it or of what it is in do not propagate into it
	UID, GID int      // owner of new volumes: root, as containers see it
	// Events hears create, destroy, mount, unmount and prune; nil for nobody.
	Events func(action events.Action, name string, attributes map[string]string)
	Log    *slog.Logger // nil for slog.Default
}

// Manager holds the volumes.
type Manager struct{ Options }

// Open opens the volumes that there are.
func Open(o Options) (*Manager, error) { return &Manager{o}, nil }

// VolumeList lists volumes by the filters dangling, driver, label and name.
func (m *Manager) VolumeList(ctx context.Context, f api.Filters) (volume.ListResponse, error) {
	return volume.ListResponse{}, errdefs.ErrNotImplemented
}

// VolumeInspect shows a volume.
func (m *Manager) VolumeInspect(ctx context.Context, name string) (*volume.Volume, error) {
	return nil, errdefs.ErrNotImplemented
}

// VolumeCreate makes a volume, or returns the one that has the name already.
func (m *Manager) VolumeCreate(ctx context.Context, r *volume.CreateRequest) (*volume.Volume, error) {
	return nil, errdefs.ErrNotImplemented
}

// VolumeRemove removes a volume with its data. With force it is no error that there is none.
func (m *Manager) VolumeRemove(ctx context.Context, name string, force bool) error {
	return errdefs.ErrNotImplemented
}

// VolumePrune removes volumes that no container uses: anonymous ones, or all with the filter all.
func (m *Manager) VolumePrune(ctx context.Context, f api.Filters) (volume.PruneReport, error) {
	return volume.PruneReport{}, errdefs.ErrNotImplemented
}

// DiskUsage is the part of `docker system df` about volumes.
func (m *Manager) DiskUsage(ctx context.Context, verbose bool) (*volume.DiskUsage, error) {
	return nil, errdefs.ErrNotImplemented
}

// Refer tells of a container of before a restart of the daemon: what Use returned for it, and whether it runs.
func (m *Manager) Refer(container string, mounts []Mount, running bool) {}

// Use decides what a new container has mounted: by --volumes-from (from returns another container's), -v, --mount, and
// VOLUME. Volumes that are not there are made. What --tmpfs says stays in the HostConfig. On an error nothing is left.
func (m *Manager) Use(ctx context.Context, container string, c *types.Config, h *types.HostConfig, from func(name string) ([]Mount, error)) ([]Mount, error) {
	return nil, nil
}

// Drop ends the use of a container's volumes, and with anonymous removes those that nobody named and nobody else uses.
func (m *Manager) Drop(ctx context.Context, container string, mounts []Mount, anonymous bool) error {
	return nil
}

// Populate copies what the image has at the places of new, empty volumes into them. root is the container's root file
// system without any of the mounts.
func (m *Manager) Populate(ctx context.Context, container string, mounts []Mount, root *os.File) error {
	return nil
}

// Mount makes the sources of a container's mounts ready for a start: it makes or misses directories of the host, and
// mounts volumes that have a device. It returns the mounts with the sources to use this time, which are good until
// Unmount.
func (m *Manager) Mount(ctx context.Context, container string, mounts []Mount) ([]Mount, error) {
	return mounts, nil
}

// Unmount is called when a container has ended, or did not start after Mount. It may be called twice.
func (m *Manager) Unmount(ctx context.Context, container string, mounts []Mount) error { return nil }
