package oci

import (
	"os"

	"github.com/dhow-containers/dhow/higher/volume"
	types "github.com/moby/moby/api/types/container"
	"golang.org/x/sys/unix"
)

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

	StopSignal  unix.Signal // what the container is stopped with, and for how many seconds; -1 for without end
	StopTimeout int
}
