package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/containerd/errdefs"
)

// classed is an error with a class that its text does not repeat.
type classed struct {
	text  string
	class error
}

func (e *classed) Error() string { return e.text }
func (e *classed) Unwrap() error { return e.class }

// Errorf returns an error of a class of errdefs whose text is only what a client shall read.
func Errorf(class error, format string, args ...any) error {
	return &classed{text: fmt.Sprintf(format, args...), class: class}
}

var errNotImplemented = errdefs.ErrNotImplemented

func invalidf(format string, args ...any) error {
	return Errorf(errdefs.ErrInvalidArgument, format, args...)
}

// status is the HTTP status of an error's class.
func status(err error) int {
	switch {
	case errors.Is(err, ErrNotModified):
		return http.StatusNotModified
	case errdefs.IsNotFound(err):
		return http.StatusNotFound
	case errdefs.IsInvalidArgument(err), errdefs.IsOutOfRange(err):
		return http.StatusBadRequest
	case errdefs.IsConflict(err), errdefs.IsAlreadyExists(err), errdefs.IsFailedPrecondition(err):
		return http.StatusConflict
	case errdefs.IsUnauthorized(err):
		return http.StatusUnauthorized
	case errdefs.IsPermissionDenied(err):
		return http.StatusForbidden
	case errdefs.IsNotImplemented(err):
		return http.StatusNotImplemented
	case errdefs.IsUnavailable(err), errors.Is(err, context.Canceled):
		return http.StatusServiceUnavailable
	default:
		return http.StatusInternalServerError
	}
}
