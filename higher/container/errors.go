package container

import (
	"errors"

	"github.com/containerd/errdefs"
	"github.com/dhow-containers/dhow/higher/api"
)

// errNotRunning is the class, besides a conflict, of what needs a container that runs.
var errNotRunning = errors.New("not running")

type notRunningError struct{ error }

func (e notRunningError) Is(target error) bool { return target == errNotRunning }
func (e notRunningError) Unwrap() error        { return e.error }

func notRunning(id string) error {
	return notRunningError{api.Errorf(errdefs.ErrConflict, "container %s is not running", id)}
}

func restarting(id string) error {
	return api.Errorf(errdefs.ErrConflict, "Container %s is restarting, wait until the container is running", id)
}

func noSuchContainer(name string) error {
	return api.Errorf(errdefs.ErrNotFound, "No such container: %s", name)
}

func noSuchExec(id string) error {
	return api.Errorf(errdefs.ErrNotFound, "No such exec instance: %s", id)
}

func invalidf(format string, args ...any) error {
	return api.Errorf(errdefs.ErrInvalidArgument, format, args...)
}

func conflictf(format string, args ...any) error {
	return api.Errorf(errdefs.ErrConflict, format, args...)
}

// wrapf puts words before an error's text and keeps its class.
func wrapf(err error, format string, args ...any) error {
	return api.Errorf(err, format+": %v", append(args, err)...)
}
