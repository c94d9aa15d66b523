package oci

import (
	"slices"

	types "github.com/moby/moby/api/types/container"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// ExecProcess makes the process of an exec in a container whose configuration is s. Root is where its users are looked
// up: the root of the running container.
func ExecProcess(in *Input, s *specs.Spec, e *types.ExecCreateRequest) (*specs.Process, error) {
	if len(e.Cmd) == 0 {
		return nil, invalidf("No exec command specified")
	}
	p := *s.Process
	p.Args, p.Terminal, p.ConsoleSize = e.Cmd, e.Tty, nil
	p.Env = override(in.environment(e.Tty), e.Env)
	if e.Tty && e.ConsoleSize != nil {
		p.ConsoleSize = &specs.Box{Height: e.ConsoleSize[0], Width: e.ConsoleSize[1]}
	}
	if e.WorkingDir != "" {
		p.Cwd = e.WorkingDir
	}
	user := e.User
	if user == "" {
		user = in.Config.User
	}
	names, err := in.look("")
	if err != nil {
		return nil, err
	}
	if p.User, err = in.user(user, names); err != nil {
		return nil, err
	}
	if e.Privileged {
		caps := slices.Clone(in.Defaults.Host.Capability)
		p.Capabilities = &specs.LinuxCapabilities{Bounding: caps, Effective: caps, Permitted: caps}
	}
	p.OOMScoreAdj = in.oomScore()
	p.Rlimits = in.rlimits()
	return &p, nil
}
