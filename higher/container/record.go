package container

import (
	"time"

	"github.com/dhow-containers/dhow/higher/volume"
	types "github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"
	digest "github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// Record is what is kept of a container. It is never changed once others can see it: a change makes a new one.
type Record struct {
	ID, Name   string // 64 hexadecimal digits; the name without a slash
	Created    time.Time
	Config     *types.Config
	HostConfig *types.HostConfig
	Path       string // what is run
	Args       []string

	Image    digest.Digest       // of the target, as `docker images` shows it
	Manifest *ocispec.Descriptor // of the platform
	Platform ocispec.Platform

	// Networks are those that it has or will have a place in, by name, as they were asked for; Live is what is so while
	// it runs, and Ports are those that are published then.
	Networks map[string]*network.EndpointSettings
	Live     map[string]*network.EndpointSettings `json:",omitempty"`
	Ports    network.PortMap                      `json:",omitempty"`
	Links    []link                               `json:",omitempty"`
	Mounts   []volume.Mount
	LogPath  string // "" if nothing is logged to a file

	State
}

// State is how a container is.
type State struct {
	Phase      Phase
	Pid        int `json:",omitempty"`
	ExitCode   int
	Error      string    `json:",omitempty"` // of the last start
	StartedAt  time.Time // zero before the first start
	FinishedAt time.Time
	OOMKilled  bool `json:",omitempty"`

	Health       *types.Health `json:",omitempty"`
	RestartCount int           `json:",omitempty"`
	Stopped      bool          `json:",omitempty"` // by a client: unless-stopped does not start it again
	Terminating  bool          `json:",omitempty"` // by the daemon's own end: always and unless-stopped start it again
}

// link is one of --link: another container of the default bridge, by the name that it has inside.
type link struct{ ID, Alias string }

// Running says whether Docker says that it runs: also when it is paused, or about to be started again.
func (s *State) Running() bool {
	return s.Phase == Running || s.Phase == Paused || s.Phase == Restarting
}
