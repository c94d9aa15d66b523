package volume

import (
	"errors"
	"fmt"
	"strings"

	"github.com/containerd/errdefs"
	"github.com/dhow-containers/dhow/higher/api"
)

// invalidf is an error about what a client asked for.
func invalidf(format string, args ...any) error {
	return api.Errorf(errdefs.ErrInvalidArgument, format, args...)
}

// noVolume is Docker's answer for a volume that there is not.
func noVolume(name string) error {
	return api.Errorf(errdefs.ErrNotFound, "get %s: no such volume", name)
}

// inUse is Docker's answer to removing a volume that containers have.
func inUse(name string, containers []string) error {
	return api.Errorf(errdefs.ErrConflict, "remove %s: volume is in use - [%s]", name, strings.Join(containers, ", "))
}

// about puts the words of an operation in front of an error, which keeps its class.
func about(op, name string, err error) error {
	for _, class := range []error{errdefs.ErrInvalidArgument, errdefs.ErrNotFound, errdefs.ErrConflict} {
		if errors.Is(err, class) {
			return api.Errorf(class, "%s %s: %s", op, name, err)
		}
	}
	return fmt.Errorf("%s %s: %w", op, name, err)
}
