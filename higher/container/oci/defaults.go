package oci

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/dhow-containers/dhow/higher/apparmor"
	"github.com/dhow-containers/dhow/higher/config"
	"github.com/dhow-containers/dhow/higher/userns"
	"github.com/docker/go-units"
	types "github.com/moby/moby/api/types/container"
)

// Defaults is what the daemon's flags say about containers, and what the host can do.
type Defaults struct {
	Runtime         string                    // the name of the default runtime
	Runtimes        map[string]config.Runtime // others that were added, by name
	Ulimits         map[string]*units.Ulimit
	CgroupParent    string
	SystemdCgroup   bool   // control groups are systemd's
	Seccomp         string // the text of a profile; "" for Docker's own, or "unconfined"
	NoNewPrivileges bool
	Init            bool
	ShmSize         int64
	IpcMode         types.IpcMode
	CgroupnsMode    types.CgroupnsMode // "" for what Docker does on the host
	LogDriver       string
	LogOpts         map[string]string

	IDs *userns.Map // of --userns-remap; nil without it. FromConfig does not set it

	Host *Facts
}

// unconfined stands for no profile, of seccomp and of AppArmor.
const unconfined = apparmor.Unconfined

// FromConfig takes from the daemon's configuration what is about containers. It reads the file of a seccomp profile.
func FromConfig(c *config.Config, host *Facts) (*Defaults, error) {
	d := &Defaults{
		Runtime: c.DefaultRuntime, Runtimes: c.Runtimes, Ulimits: c.DefaultUlimits, CgroupParent: c.CgroupParent,
		NoNewPrivileges: c.NoNewPrivileges, Init: c.Init, ShmSize: c.ShmSize,
		IpcMode: types.IpcMode(c.IpcMode), CgroupnsMode: types.CgroupnsMode(c.CgroupnsMode),
		LogDriver: c.LogDriver, LogOpts: c.LogOpts, Host: host,
	}
	d.SystemdCgroup = host.Unified && host.Systemd
	for _, o := range c.ExecOpts {
		if driver, ok := strings.CutPrefix(o, "native.cgroupdriver="); ok {
			d.SystemdCgroup = driver == "systemd"
		}
	}
	if d.SystemdCgroup && !host.Systemd {
		return nil, errors.New("cannot use --exec-opt native.cgroupdriver=systemd: systemd is not the init of this host")
	}
	if d.SystemdCgroup && d.CgroupParent != "" {
		if err := checkSlice(d.CgroupParent); err != nil {
			return nil, err
		}
	}
	switch c.SeccompProfile {
	case "", "builtin":
	case unconfined:
		d.Seccomp = unconfined
	default:
		text, err := os.ReadFile(c.SeccompProfile)
		if err != nil {
			return nil, fmt.Errorf("cannot read the seccomp profile: %w", err)
		}
		d.Seccomp = string(text)
	}
	return d, nil
}

func (d *Defaults) remapped() bool { return d.IDs != nil }

func checkSlice(parent string) error {
	if len(parent) <= len(".slice") || !strings.HasSuffix(parent, ".slice") {
		return invalidf(`cgroup-parent for systemd cgroup should be a valid slice named as "xxx.slice"`)
	}
	return nil
}
