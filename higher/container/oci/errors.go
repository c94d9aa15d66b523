package oci

import (
	"github.com/containerd/errdefs"
	"github.com/dhow-containers/dhow/higher/api"
)

// invalidf is an error about what a client asked for.
func invalidf(format string, args ...any) error {
	return api.Errorf(errdefs.ErrInvalidArgument, format, args...)
}
