package container

import (
	"context"
	"errors"
	"io"
	"os"
	"strconv"

	"github.com/containerd/errdefs"
	"github.com/dhow-containers/dhow/higher/api"
	"github.com/dhow-containers/dhow/higher/archive"
	"github.com/dhow-containers/dhow/higher/container/oci"
	types "github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/events"
	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// oPath opens a directory to look things up below it only.
const oPath = unix.O_PATH | unix.O_DIRECTORY

// withRoot calls f with the root directory of a container with all its mounts, whether it runs or not.
func (c *container) withRoot(ctx context.Context, f func(root *os.File) error) error {
	if run, err := c.running(); err == nil {
		return c.withLiveRoot(run, f)
	}
	// Nobody starts or removes it meanwhile: what it has mounted would be mounted twice.
	c.op.Lock()
	defer c.op.Unlock()
	if run, err := c.running(); err == nil {
		return c.withLiveRoot(run, f)
	}
	if p := c.record().Phase; p == Removing || p == Dead {
		return conflictf("container is marked for removal and its files cannot be read")
	}
	rootfs, err := c.m.Images.Mounts(ctx, c.id)
	if err != nil {
		return err
	}
	mounts, err := c.mountAll(ctx)
	if err != nil {
		return err
	}
	err = archive.Mounted(ctx, pointers(rootfs), mounts, c.ids(), f)
	return errors.Join(err, c.unmountAll(ctx))
}

// withLiveRoot takes the root directory of the container's init. It is looked at again whether that still runs, as its
// number could have become another process's.
func (c *container) withLiveRoot(run *run, f func(root *os.File) error) (err error) {
	root, err := openRootOf(run.task.Pid())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, root.Close()) }()
	if now, err := c.running(); err != nil || now != run {
		return notRunning(c.id)
	}
	return f(root)
}

// ContainerStatPath looks at a path in a container.
func (m *Manager) ContainerStatPath(ctx context.Context, name, path string) (*types.PathStat, error) {
	c, err := m.get(name)
	if err != nil {
		return nil, err
	}
	var stat *types.PathStat
	err = c.withRoot(ctx, func(root *os.File) (err error) {
		stat, err = archive.Stat(root, path)
		return err
	})
	if err != nil {
		return nil, noSuchFile(err, path, name)
	}
	return stat, nil
}

// ContainerArchive returns a tar stream of what is at path.
func (m *Manager) ContainerArchive(ctx context.Context, name, path string) (io.ReadCloser, *types.PathStat, error) {
	c, err := m.get(name)
	if err != nil {
		return nil, nil, err
	}
	type found struct {
		stat *types.PathStat
		err  error
	}
	first := make(chan found, 1)
	r, w := io.Pipe()
	go func() {
		err := c.withRoot(ctx, func(root *os.File) error {
			stat, err := archive.Stat(root, path)
			if err != nil {
				return err
			}
			first <- found{stat: stat}
			return archive.Write(root, path, c.ids(), w)
		})
		select {
		case first <- found{err: err}:
		default:
		}
		w.CloseWithError(err)
	}()
	f := <-first
	if f.err != nil || f.stat == nil {
		_ = r.Close()
		return nil, nil, noSuchFile(f.err, path, name)
	}
	c.emit(events.ActionArchivePath, nil)
	return r, f.stat, nil
}

// ContainerExtract unpacks an archive into the directory at a path.
func (m *Manager) ContainerExtract(ctx context.Context, name, path string, o api.ExtractOptions, tar io.Reader) error {
	c, err := m.get(name)
	if err != nil {
		return err
	}
	err = c.withRoot(ctx, func(root *os.File) error {
		r := c.record()
		to := archive.ExtractOptions{IDs: c.ids(), NoOverwriteDirNonDir: o.NoOverwriteDirNonDir, Mounts: r.Mounts, ReadOnly: r.HostConfig.ReadonlyRootfs}
		if o.CopyUIDGID && r.Config.User != "" {
			if to.Owner, err = c.owner(root); err != nil {
				return err
			}
		}
		return archive.Extract(root, path, to, tar)
	})
	if err != nil {
		return noSuchFile(err, path, name)
	}
	c.emit(events.ActionExtractToDir, nil)
	return nil
}

// owner is the user that the container runs as.
func (c *container) owner(root *os.File) (*archive.Owner, error) {
	r := c.record()
	p, err := oci.ExecProcess(&oci.Input{
		ID: r.ID, Config: r.Config, HostConfig: r.HostConfig, Defaults: c.m.Defaults,
		Root: func() (*os.File, error) { return os.Open("/proc/self/fd/" + strconv.Itoa(int(root.Fd()))) },
	}, &specs.Spec{Process: &specs.Process{}}, &types.ExecCreateRequest{Cmd: []string{r.Path}})
	if err != nil {
		return nil, err
	}
	return &archive.Owner{UID: int(p.User.UID), GID: int(p.User.GID)}, nil
}

// noSuchFile says that a path is not there in Docker's words.
func noSuchFile(err error, path, container string) error {
	if errdefs.IsNotFound(err) {
		return api.Errorf(errdefs.ErrNotFound, "Could not find the file %s in container %s", path, container)
	}
	return err
}

// ContainerExport writes the whole file system of a container, without volumes.
func (m *Manager) ContainerExport(ctx context.Context, name string, w io.Writer) (err error) {
	c, err := m.get(name)
	if err != nil {
		return err
	}
	if p := c.record().Phase; p == Removing || p == Dead {
		return conflictf("You cannot export container %s which is being removed", c.id)
	}
	root, err := c.openRoot(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, root.Close()) }()
	if err := archive.Export(root, c.ids(), w); err != nil {
		return err
	}
	c.emit(events.ActionExport, nil)
	return nil
}

// ContainerChanges lists what a container has changed of its image.
func (m *Manager) ContainerChanges(ctx context.Context, name string) ([]types.FilesystemChange, error) {
	c, err := m.get(name)
	if err != nil {
		return nil, err
	}
	return m.Images.Changes(ctx, c.id)
}
