package oci

import (
	"os"

	"github.com/dhow-containers/dhow/higher/config"
	"github.com/dhow-containers/dhow/higher/volume"
	"github.com/docker/go-units"
	types "github.com/moby/moby/api/types/container"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// Defaults is what the daemon's flags say about containers, and what the host can do.
type Defaults struct {
	Runtime         string            // the name of the default runtime
	Runtimes        map[string]string // others that were added, by name
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

	UIDMaps, GIDMaps []specs.LinuxIDMapping // of --userns-remap; nil without it

	Host *Facts
}

// FromConfig takes from the daemon's configuration what is about containers. It reads the file of a seccomp profile.
func FromConfig(c *config.Config, host *Facts) (*Defaults, error) { return &Defaults{Host: host}, nil }

// Input is a container that is to start.
type Input struct {
	ID         string
	Config     *types.Config
	HostConfig *types.HostConfig
	Args       []string // entrypoint and command
	Env        []string // what links set; the container's own come after it
	Rootfs     string   // the root file system as config.json names it
	// Root is the root directory, in which names of users are looked up. It is opened only if it is needed, and closed.
	Root func() (*os.File, error)
	// Hosts, Hostname and ResolvConf are files of the host for /etc; "" for what the image has.
	Hosts, Hostname, ResolvConf string
	Mounts                      []volume.Mount // as Manager.Mount returned them
	// Namespaces to join, paths: those of the containers that --network, --ipc and --pid container:NAME speak of.
	NetNS, IpcNS, PidNS string
	UserNS              string // the user namespace of one of them, if ids are remapped
	ShmDir              string // where /dev/shm of the container that --ipc names is
	Init                string // the program for --init, on the host
	Defaults            *Defaults
}
