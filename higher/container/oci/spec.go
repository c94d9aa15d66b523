package oci

import (
	"github.com/containerd/errdefs"
	types "github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// Facts is what the host can do.
type Facts struct{}

// ReadFacts looks at the host.
func ReadFacts() (*Facts, error) { return &Facts{}, nil }

// Check says what is wrong with a new container's configuration and fills in defaults.
func Check(c *types.Config, h *types.HostConfig, n *network.NetworkingConfig, d *Defaults) (warnings []string, err error) {
	return nil, nil
}

// CheckUpdate checks what `docker update` wants of a container, and returns the HostConfig that it comes to.
func CheckUpdate(h *types.HostConfig, u *types.UpdateConfig, d *Defaults) (updated *types.HostConfig, warnings []string, err error) {
	return h, nil, nil
}

// Resources are the limits of a HostConfig.
func Resources(h *types.HostConfig) (*specs.LinuxResources, error) {
	return nil, errdefs.ErrNotImplemented
}

// Spec makes the configuration for a start.
func Spec(in *Input) (*specs.Spec, error) { return nil, errdefs.ErrNotImplemented }

// ExecProcess makes the process of an exec in a container whose configuration is s.
func ExecProcess(in *Input, s *specs.Spec, e *types.ExecCreateRequest) (*specs.Process, error) {
	return nil, errdefs.ErrNotImplemented
}
