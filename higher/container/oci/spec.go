package oci

import (
	"path/filepath"
	"slices"

	"github.com/docker/go-units"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// Spec makes the configuration for a start of a container that Check has passed. It reads the container's /etc/passwd
// and /etc/group, and looks at devices and mounts of the host.
func Spec(in *Input) (*specs.Spec, error) {
	h, d := in.HostConfig, in.Defaults
	security, err := parseSecurity(h, d)
	if err != nil {
		return nil, err
	}
	s := &specs.Spec{
		Version:     specs.Version,
		Root:        &specs.Root{Path: in.Rootfs, Readonly: h.ReadonlyRootfs},
		Annotations: in.annotations(),
		Linux: &specs.Linux{
			Namespaces: in.namespaces(), CgroupsPath: in.cgroupsPath(), Sysctl: in.sysctls(),
			MaskedPaths: h.MaskedPaths, ReadonlyPaths: h.ReadonlyPaths,
		},
	}
	if !h.UTSMode.IsHost() {
		s.Hostname = in.Config.Hostname
	}
	if s.Process, err = in.process(security); err != nil {
		return nil, err
	}
	if s.Linux.Resources, err = Resources(h); err != nil {
		return nil, err
	}
	if m := s.Linux.Resources.Memory; m != nil && m.Swap != nil && *m.Swap < 0 {
		m.Swap = nil // no limit is how a group begins, and some kernels have no file for it
	}
	if s.Linux.Devices, s.Linux.Resources.Devices, err = devices(h); err != nil {
		return nil, err
	}
	if s.Linux.Seccomp, err = security.filter(h, d, s.Process.Capabilities.Bounding); err != nil {
		return nil, err
	}
	root := propagation("")
	if s.Mounts, root, err = in.mounts(); err != nil {
		return nil, err
	}
	s.Linux.RootfsPropagation = string(root)
	if in.remapped() {
		s.Linux.UIDMappings, s.Linux.GIDMappings = d.IDs.UIDs, d.IDs.GIDs
	}
	return s, nil
}

// process is the first process of a container.
func (in *Input) process(security *security) (*specs.Process, error) {
	h := in.HostConfig
	p := &specs.Process{
		Args: in.Args, Env: in.environment(in.Config.Tty), Cwd: in.Config.WorkingDir, Terminal: in.Config.Tty,
		Rlimits: in.rlimits(), OOMScoreAdj: in.oomScore(),
	}
	if p.Cwd == "" {
		p.Cwd = "/"
	}
	if in.wantsInit() {
		p.Args = append([]string{initPath, "--"}, in.Args...)
	}
	if p.Terminal && h.ConsoleSize != [2]uint{} {
		p.ConsoleSize = &specs.Box{Height: h.ConsoleSize[0], Width: h.ConsoleSize[1]}
	}
	names, err := in.look(p.Cwd)
	if err != nil {
		return nil, err
	}
	if p.User, err = in.user(in.Config.User, names); err != nil {
		return nil, err
	}
	caps, err := capabilities(h, in.Defaults.Host)
	if err != nil {
		return nil, err
	}
	p.Capabilities = &specs.LinuxCapabilities{Bounding: caps, Effective: caps, Permitted: caps}
	security.process(p, h, in.Defaults)
	return p, nil
}

// wantsInit says whether --init has something to do: in the pid namespace of somebody else there is one already.
func (in *Input) wantsInit() bool {
	h := in.HostConfig
	return h.PidMode.IsPrivate() && (h.Init != nil && *h.Init || h.Init == nil && in.Defaults.Init)
}

// oomScore is 0 unless somebody says otherwise, whatever the daemon's own is; but a daemon without the capability to
// lower it can only hand its own on.
func (in *Input) oomScore() *int {
	score, host := in.HostConfig.OomScoreAdj, in.Defaults.Host
	if score == 0 && host.OOMScore > 0 && !host.can("CAP_SYS_RESOURCE") {
		return nil
	}
	return &score
}

// rlimits are those of --ulimit, and the daemon's where that says nothing.
func (in *Input) rlimits() []specs.POSIXRlimit {
	list := slices.Clone(in.HostConfig.Ulimits)
	for _, name := range sortedNames(in.Defaults.Ulimits) {
		if !slices.ContainsFunc(list, func(u *units.Ulimit) bool { return u.Name == name }) {
			list = append(list, in.Defaults.Ulimits[name])
		}
	}
	var all []specs.POSIXRlimit
	for _, u := range list {
		all = append(all, specs.POSIXRlimit{Type: rlimitName(u.Name), Soft: uint64(u.Soft), Hard: uint64(u.Hard)})
	}
	return all
}

// The control groups of containers.
const (
	cgroupParent = "/dhow"        // unless somebody says otherwise
	systemdSlice = "system.slice" // the same with systemd
	scopePrefix  = "dhow"
)

func (in *Input) cgroupsPath() string {
	parent := in.HostConfig.CgroupParent
	if parent == "" {
		parent = in.Defaults.CgroupParent
	}
	if in.Defaults.SystemdCgroup {
		if parent == "" {
			parent = systemdSlice
		}
		return parent + ":" + scopePrefix + ":" + in.ID
	}
	if parent == "" {
		parent = cgroupParent
	}
	return filepath.Join(parent, in.ID)
}
