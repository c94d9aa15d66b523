package container

import (
	"fmt"
)

// The classes of github.com/containerd/errdefs, which callers map to exit codes, JSON and HTTP.

type notFound struct{ error }

func (notFound) NotFound()       {}
func (e notFound) Unwrap() error { return e.error }

type alreadyExists struct{ error }

func (alreadyExists) AlreadyExists()  {}
func (e alreadyExists) Unwrap() error { return e.error }

type invalid struct{ error }

func (invalid) InvalidParameter() {}
func (e invalid) Unwrap() error   { return e.error }

// broken marks the error for a record that is missing or makes no sense, as a crash can leave it.
type broken struct{ error }

func (e broken) Unwrap() error { return e.error }

type conflict struct{ error }

func (conflict) Conflict()       {}
func (e conflict) Unwrap() error { return e.error }

// The words that go-runc and containerd look for in these errors are "does not exist", "already exists"
// and "container not running".

func errNotFound(id string) error {
	return notFound{fmt.Errorf("cannot find container %q: container does not exist", id)}
}

func errExists(id string) error {
	return alreadyExists{fmt.Errorf("cannot create container %q: container with given ID already exists", id)}
}

// errDeleted is for a create that a delete --force has come in between.
func errDeleted(id string) error {
	return errConflict("cannot create container %q: it has been deleted meanwhile", id)
}

func errInvalid(format string, args ...any) error { return invalid{fmt.Errorf(format, args...)} }

func errConflict(format string, args ...any) error { return conflict{fmt.Errorf(format, args...)} }
