package container

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/containerd/platforms"
	"github.com/dhow-containers/dhow/higher/container/oci"
	"github.com/dhow-containers/dhow/higher/image"
	"github.com/dhow-containers/dhow/higher/task"
	"github.com/dhow-containers/dhow/higher/volume"
	shim "github.com/dhow-containers/dhow/shim/api"
	types "github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/events"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// ContainerCreate makes a container that is not started.
//
// The container is known, as Creating, before its snapshot is made, so that nobody removes the image meanwhile. It is
// written that early only if it may have volumes: snapshots that are nobody's are found without (Restore).
func (m *Manager) ContainerCreate(ctx context.Context, name string, r *types.CreateRequest, platform *ocispec.Platform, _ string) (types.CreateResponse, error) {
	if r.Config.Image == "" {
		return types.CreateResponse{}, invalidf("no image specified")
	}
	if err := oci.CheckRequest(r.Config, r.HostConfig); err != nil {
		return types.CreateResponse{}, err
	}
	img, err := m.Images.Resolve(ctx, r.Config.Image, platform)
	if err != nil {
		return types.CreateResponse{}, err
	}
	if err := merge(r.Config, &img.Config.Config); err != nil {
		return types.CreateResponse{}, err
	}
	path, args, err := command(r.Config)
	if err != nil {
		return types.CreateResponse{}, err
	}
	m.shareByID(r.HostConfig)
	warnings, err := oci.Check(r.Config, r.HostConfig, r.NetworkingConfig, m.now.Load().defaults)
	if err != nil {
		return types.CreateResponse{Warnings: warnings}, err
	}
	if platform == nil {
		warnings = append(warnings, foreign(img)...)
	}
	record := &Record{
		ID: newID(), Created: time.Now().UTC(), Config: r.Config, HostConfig: r.HostConfig, Path: path, Args: args,
		Image: img.ID, Manifest: &img.Manifest, Platform: img.Platform, State: State{Phase: Creating},
	}
	if err := m.complete(record, r); err != nil {
		return types.CreateResponse{Warnings: warnings}, err
	}
	if record.Name, err = m.reserve(record.ID, name); err != nil {
		return types.CreateResponse{Warnings: warnings}, err
	}
	c := m.newContainer(record)
	m.add(c)
	if err := c.create(context.WithoutCancel(ctx), img); err != nil {
		return types.CreateResponse{Warnings: warnings}, errors.Join(err, c.discard(context.WithoutCancel(ctx)))
	}
	c.emit(events.ActionCreate, nil)
	return types.CreateResponse{ID: c.id, Warnings: warnings}, nil
}

// foreign warns of an image for another kind of machine.
func foreign(img *image.Image) []string {
	host := image.Host()
	if img.Platform.OS == "" || platforms.Only(host).Match(img.Platform) {
		return nil
	}
	return []string{fmt.Sprintf("The requested image's platform (%s) does not match the detected host platform (%s) and no specific platform was requested",
		platforms.FormatAll(img.Platform), platforms.FormatAll(host))}
}

// complete fills in what depends on other containers and on networks.
func (m *Manager) complete(record *Record, r *types.CreateRequest) error {
	if err := setHostname(record); err != nil {
		return err
	}
	links, err := m.resolveLinks(record.HostConfig)
	if err != nil {
		return err
	}
	record.Links, record.HostConfig.Links = links, nil
	logs, err := logConfig(record)
	if err != nil {
		return err
	}
	if err := task.CheckLog(logs); err != nil {
		return err
	}
	return m.setNetworks(record, r.NetworkingConfig)
}

func setHostname(r *Record) (err error) {
	switch {
	case r.Config.Hostname != "":
	case r.HostConfig.NetworkMode.IsHost() || r.HostConfig.UTSMode.IsHost():
		r.Config.Hostname, err = os.Hostname()
	case r.HostConfig.NetworkMode.IsContainer():
	default:
		r.Config.Hostname = short(r.ID)
	}
	return err
}

func (m *Manager) add(c *container) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.byID[c.id] = c
}

// create makes what a container has: directory, snapshot, volumes, and last the record that says that it is whole.
func (c *container) create(ctx context.Context, img *image.Image) error {
	c.op.Lock()
	defer c.op.Unlock()
	m, r := c.m, c.record()
	written := make(chan error, 1)
	if mayHaveVolumes(r) {
		go func() { written <- m.store.put(r) }()
	} else {
		written <- nil
	}
	if err := errors.Join(c.prepare(ctx, img), <-written); err != nil {
		return err
	}
	m.die("create-prepared")
	mounts, err := c.useVolumes(ctx)
	if err != nil {
		return err
	}
	m.die("create-volumes")
	return c.amend(func(r *Record) error {
		r.Mounts, r.LogPath = mounts, c.logFile()
		return r.move(Created)
	})
}

func (c *container) prepare(ctx context.Context, img *image.Image) error {
	if err := os.Mkdir(c.dir(), 0o710); err != nil {
		return fmt.Errorf("cannot make the container's directory: %w", err)
	}
	return c.m.Images.Prepare(ctx, c.id, img, c.ids() != nil)
}

func mayHaveVolumes(r *Record) bool {
	h := r.HostConfig
	return len(r.Config.Volumes)+len(h.Binds)+len(h.Mounts)+len(h.VolumesFrom) > 0
}

// useVolumes decides on the container's mounts, and copies into new volumes what the image has there.
func (c *container) useVolumes(ctx context.Context) (mounts []volume.Mount, err error) {
	m, r := c.m, c.record()
	if !mayHaveVolumes(r) {
		return nil, nil
	}
	mounts, err = m.Volumes.Use(ctx, c.id, r.Config, r.HostConfig, m.mountsOf)
	if err != nil {
		return nil, err
	}
	found, err := c.findImages(ctx, mounts)
	if e := c.note(func(r *Record) error { r.Mounts = mounts; return nil }); err != nil || e != nil {
		return nil, errors.Join(err, e)
	}
	if err := c.borrow(ctx, found); err != nil {
		return nil, err
	}
	m.die("create-lent")
	root, err := c.openRoot(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, root.Close()) }()
	return mounts, m.Volumes.Populate(ctx, c.id, mounts, root)
}

// mountsOf are those of another container, for --volumes-from.
func (m *Manager) mountsOf(name string) ([]volume.Mount, error) {
	c, err := m.get(name)
	if err != nil {
		return nil, err
	}
	return c.record().Mounts, nil
}

// openRoot opens the root file system without any of the container's mounts.
func (c *container) openRoot(ctx context.Context) (*os.File, error) {
	mounts, err := c.m.Images.Mounts(ctx, c.id)
	if err != nil {
		return nil, err
	}
	return c.m.root(pointers(mounts))
}

func pointers(mounts []shim.Mount) []*shim.Mount {
	all := make([]*shim.Mount, len(mounts))
	for i := range mounts {
		all[i] = &mounts[i]
	}
	return all
}

// discard removes a container that could not be made, or was half made when the daemon was killed.
func (c *container) discard(ctx context.Context) error {
	c.op.Lock()
	defer c.op.Unlock()
	return c.dispose(ctx, true)
}
