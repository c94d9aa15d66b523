package docker

import (
	"fmt"

	"github.com/moby/profiles/seccomp"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// Seccomp returns Docker's default profile for this machine's architecture and kernel and for a container with
// the given bounding set: some system calls are allowed to those who have the capability for them.
func Seccomp(capabilities []string) (*specs.LinuxSeccomp, error) {
	profile, err := seccomp.GetDefaultProfile(container(capabilities))
	if err != nil {
		return nil, fmt.Errorf("cannot make the default seccomp profile: %w", err)
	}
	return profile, nil
}

// LoadSeccomp returns a profile in Docker's own format (`--security-opt seccomp=FILE`), with its conditions decided
// in the same way.
func LoadSeccomp(text string, capabilities []string) (*specs.LinuxSeccomp, error) {
	profile, err := seccomp.LoadProfile(text, container(capabilities))
	if err != nil {
		return nil, fmt.Errorf("cannot load the seccomp profile: %w", err)
	}
	return profile, nil
}

// container is the part of a configuration that the conditions of a profile look at.
func container(capabilities []string) *specs.Spec {
	return &specs.Spec{Process: &specs.Process{Capabilities: &specs.LinuxCapabilities{Bounding: capabilities}}}
}
