package volume

import (
	types "github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/mount"
)

// Mount is one thing that a container has in its root file system, decided when the container is made. It is part of
// the container's record.
type Mount struct {
	Type        mount.Type
	Name        string `json:",omitempty"` // of a volume
	Driver      string `json:",omitempty"` // of a volume
	Source      string `json:",omitempty"` // a path on the host: of a bind, or of the volume's data
	Destination string // in the container, clean
	Mode        string `json:",omitempty"` // the words behind the second colon of -v
	RW          bool
	Propagation mount.Propagation `json:",omitempty"`

	Anonymous bool   `json:",omitempty"` // a volume without a name given: `rm --volumes` removes it
	NoCopy    bool   `json:",omitempty"` // a new volume does not get what the image has there
	Subpath   string `json:",omitempty"` // of a volume or an image
	Image     string `json:",omitempty"` // of an image: its name as it was given
	ImageID   string `json:",omitempty"` // what that stood for when the container was made

	OwnRoot                bool `json:",omitempty"` // of a bind: it is about the engine's directory, so that it propagates without having been told to
	MakeSource             bool `json:",omitempty"` // of a bind: a missing source becomes a directory
	NonRecursive           bool `json:",omitempty"` // of a bind: without the mounts below its source
	ReadOnlyNonRecursive   bool `json:",omitempty"` // read-only, but not what is mounted below
	ReadOnlyForceRecursive bool `json:",omitempty"` // read-only with all that is mounted below, or an error

	Options []string `json:",omitempty"` // of a tmpfs, as mount(8) takes them
}

// Point is the mount as `docker inspect` shows it.
func (m *Mount) Point() types.MountPoint {
	name := m.Name
	if m.Type == mount.TypeImage {
		name = m.Image
	}
	return types.MountPoint{
		Type: m.Type, Name: name, Source: m.Source, Destination: m.Destination, Driver: m.Driver,
		Mode: m.Mode, RW: m.RW, Propagation: m.Propagation,
	}
}
