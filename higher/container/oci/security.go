package oci

import (
	"strconv"
	"strings"

	"github.com/dhow-containers/dhow/higher/apparmor"
	"github.com/dhow-containers/dhow/spec/docker"
	types "github.com/moby/moby/api/types/container"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// security is what --security-opt says.
type security struct {
	seccomp         string // the text of a profile, "builtin", "unconfined", or "" for the daemon's
	apparmor        string
	labels          []string // of SELinux
	noNewPrivileges bool
	writableCgroups *bool
}

func parseSecurity(h *types.HostConfig, d *Defaults) (*security, error) {
	s := &security{noNewPrivileges: d.NoNewPrivileges}
	for _, opt := range h.SecurityOpt {
		if err := s.add(opt); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func (s *security) add(opt string) (err error) {
	switch opt {
	case "no-new-privileges":
		s.noNewPrivileges = true
		return nil
	case "writable-cgroups":
		yes := true
		s.writableCgroups = &yes
		return nil
	case "disable":
		s.labels = append(s.labels, opt)
		return nil
	}
	key, value, ok := strings.Cut(opt, "=")
	if !ok {
		key, value, ok = strings.Cut(opt, ":") // as before Docker 1.11
	}
	if !ok {
		return invalidf("invalid --security-opt 1: %q", opt)
	}
	var yes bool
	switch key {
	case "label":
		s.labels = append(s.labels, value)
	case "apparmor":
		s.apparmor = value
	case "seccomp":
		s.seccomp = value
	case "no-new-privileges":
		s.noNewPrivileges, err = strconv.ParseBool(value)
	case "writable-cgroups":
		yes, err = strconv.ParseBool(value)
		s.writableCgroups = &yes
	default:
		return invalidf("invalid --security-opt 2: %q", opt)
	}
	if err != nil {
		return invalidf("invalid --security-opt 2: %q", opt)
	}
	return nil
}

// check refuses what the host does not have.
func (s *security) check(h *types.HostConfig, d *Defaults) (warnings []string, err error) {
	if s.apparmor != "" && s.apparmor != unconfined && !d.Host.AppArmor {
		return nil, invalidf("--security-opt apparmor=%s: AppArmor is not enabled on this host", s.apparmor)
	}
	for _, l := range s.labels {
		if l != "disable" {
			warnings = append(warnings, "Labels of SELinux are not supported by this engine. --security-opt label="+l+" discarded.")
		}
	}
	if s.writableCgroups != nil && d.remapped() && h.UsernsMode.IsPrivate() {
		return warnings, invalidf("option WritableCgroups conflicts with user namespaces and rootless mode")
	}
	switch s.seccomp {
	case "", "builtin", unconfined:
	default:
		if _, err := s.filter(h, d, nil); err != nil {
			return warnings, invalidf("%v", err)
		}
	}
	return warnings, nil
}

// filter is the seccomp profile, with its conditions decided for a set of capabilities; nil for none.
func (s *security) filter(h *types.HostConfig, d *Defaults, caps []string) (*specs.LinuxSeccomp, error) {
	profile := s.seccomp
	if profile == "" && !h.Privileged {
		profile = d.Seccomp
	}
	if profile == unconfined || profile == "" && h.Privileged {
		return nil, nil
	}
	own := profile == "" || profile == "builtin"
	if !d.Host.Seccomp {
		if own {
			return nil, nil
		}
		return nil, invalidf("seccomp is not enabled in your kernel, cannot run a custom seccomp profile")
	}
	if own {
		return docker.Seccomp(caps)
	}
	return docker.LoadSeccomp(profile, caps)
}

// process applies what is about the process.
func (s *security) process(p *specs.Process, h *types.HostConfig, d *Defaults) {
	p.NoNewPrivileges = s.noNewPrivileges
	p.ApparmorProfile = s.profile(h, d)
}

// profile is that of AppArmor: the one that was asked for, else Docker's own, or none with --privileged; "" where there is
// no AppArmor.
func (s *security) profile(h *types.HostConfig, d *Defaults) string {
	switch {
	case !d.Host.AppArmor:
		return ""
	case s.apparmor != "":
		return s.apparmor
	case h.Privileged:
		return unconfined
	}
	return apparmor.Default
}

// AppArmorProfile is the profile that a container is started under, "" where there is no AppArmor.
func AppArmorProfile(h *types.HostConfig, d *Defaults) (string, error) {
	s, err := parseSecurity(h, d)
	if err != nil {
		return "", err
	}
	return s.profile(h, d), nil
}
