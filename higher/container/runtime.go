package container

import (
	"os"

	"github.com/containerd/errdefs"
	"github.com/dhow-containers/dhow/higher/api"
	"github.com/dhow-containers/dhow/higher/config"
	"github.com/dhow-containers/dhow/higher/task"
)

// runtime is the container's, when it is not ours: as the daemon has it by now.
func (l *launch) runtime() (*task.Runtime, error) {
	name, others := l.r.HostConfig.Runtime, l.m.now.Load().defaults.Runtimes
	if config.IsOurRuntime(name, others) {
		return nil, nil
	}
	r, ok := others[name]
	if !ok {
		return nil, api.Errorf(errdefs.ErrInvalidArgument, "unknown or invalid runtime name: %s", name)
	}
	return &task.Runtime{Name: name, Path: r.Path, Args: r.Args}, nil
}

// openBundle lets the container's root pass through the bundle to its root file system, whatever it is on the host: other runtimes go
// there with no more power than that.
func openBundle(bundle string, gid int) error {
	if err := os.Chown(bundle, -1, gid); err != nil {
		return err
	}
	return os.Chmod(bundle, 0o710)
}
