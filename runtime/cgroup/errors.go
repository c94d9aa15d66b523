package cgroup

import "fmt"

// The error classes below are those of github.com/containerd/errdefs, matched
// by method so that this package need not import it.

// invalid is an error in the config.
type invalid struct{ error }

func (invalid) InvalidParameter() {}
func (e invalid) Unwrap() error   { return e.error }

// missing is something that the config asks for and the host does not have.
type missing struct{ error }

func (missing) NotImplemented() {}
func (e missing) Unwrap() error { return e.error }

// conflict is a group that is in a state that forbids the operation.
type conflict struct{ error }

func (conflict) Conflict()       {}
func (e conflict) Unwrap() error { return e.error }

func errorf(format string, args ...any) error { return fmt.Errorf(format, args...) }

func badConfig(format string, args ...any) error { return invalid{fmt.Errorf(format, args...)} }

func unavailable(format string, args ...any) error { return missing{fmt.Errorf(format, args...)} }

func conflicting(format string, args ...any) error { return conflict{fmt.Errorf(format, args...)} }
