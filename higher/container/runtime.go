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

// oldVersion is the version of the specification that other runtimes are told: crun before 1.9 refuses any but 1.0, and all ignore
// what they do not know.
const oldVersion = "1.0.2"

// suitOthers makes of config and bundle what other runtimes want. They go to the root file system with no more power than the
// container's root has, whatever it is on the host: it is to pass through the bundle.
func (l *launch) suitOthers() error {
	l.spec.Version = oldVersion
	_, gid := l.ids().Root()
	if err := os.Chown(l.bundle(), -1, gid); err != nil {
		return err
	}
	return os.Chmod(l.bundle(), 0o710)
}
