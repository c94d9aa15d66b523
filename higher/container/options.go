package container

import (
	"context"
	"io"
	"log/slog"
	"os"

	"github.com/dhow-containers/dhow/higher/container/oci"
	"github.com/dhow-containers/dhow/higher/events"
	"github.com/dhow-containers/dhow/higher/image"
	"github.com/dhow-containers/dhow/higher/network"
	"github.com/dhow-containers/dhow/higher/task"
	"github.com/dhow-containers/dhow/higher/volume"
	types "github.com/moby/moby/api/types/container"
	net "github.com/moby/moby/api/types/network"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	specs "github.com/opencontainers/runtime-spec/specs-go"
	bolt "go.etcd.io/bbolt"
	"golang.org/x/sys/unix"
)

// Options is what a Manager works with.
type Options struct {
	DB                 *bolt.DB // containers live in its bucket "containers"
	DataRoot, ExecRoot string   // containers/ID below both: files of containers, and bundles
	Images             Images
	Tasks              Tasks // Shims of a task.Manager
	Volumes            Volumes
	Networks           Networks
	Bus                *events.Bus
	Defaults           *oci.Defaults
	StopTimeout        int                                             // seconds from the stop signal to SIGKILL, unless a container says otherwise
	LiveRestore        bool                                            // containers go on when the daemon is stopped
	Init               string                                          // the program of --init, on the host
	Confine            func(ctx context.Context, profile string) error // loads a profile of AppArmor's that is the engine's own
	Log                *slog.Logger
}

// Images is what is used of image.Manager.
type Images interface {
	Resolve(ctx context.Context, name string, p *ocispec.Platform) (*image.Image, error)
	Prepare(ctx context.Context, container string, img *image.Image, remapped bool) error
	Mounts(ctx context.Context, container string) ([]task.Mount, error)
	Release(ctx context.Context, container string) error
	Lend(ctx context.Context, container string, n int, img *image.Image, remapped bool) error
	Lent(ctx context.Context, container string, n int) ([]task.Mount, error)
	Return(ctx context.Context, container string) error
	Containers(ctx context.Context) ([]string, error)
	Usage(ctx context.Context, container string) (int64, error)
	ImageSize(ctx context.Context, img *image.Image) (int64, error)
	Changes(ctx context.Context, container string) ([]types.FilesystemChange, error)
	Driver() string // of snapshots, as inspect names it
}

// Volumes is what is used of volume.Manager.
type Volumes interface {
	Refer(container string, mounts []volume.Mount, running bool)
	Use(ctx context.Context, container string, c *types.Config, h *types.HostConfig, from func(name string) ([]volume.Mount, error)) ([]volume.Mount, error)
	Populate(ctx context.Context, container string, mounts []volume.Mount, root *os.File) error
	Mount(ctx context.Context, container string, mounts []volume.Mount) ([]volume.Mount, error)
	Unmount(ctx context.Context, container string, mounts []volume.Mount) error
	Drop(ctx context.Context, container string, mounts []volume.Mount, anonymous bool) error
}

// Networks is what is used of network.Manager.
type Networks interface {
	Check(name string, s *net.EndpointSettings) error
	Reserve(ctx context.Context, c network.Container, name string, s *net.EndpointSettings) (*network.Endpoint, error)
	Files(ctx context.Context, id string) (*network.Files, error)
	Attach(ctx context.Context, id string, netns *os.File) error
	Detach(ctx context.Context, id string) error
	Sandbox(container string) *network.Sandbox
	Connect(ctx context.Context, c network.Container, name string, s *net.EndpointSettings, netns *os.File) (*network.Endpoint, error)
	CheckConnect(container, name string) error
	Disconnect(ctx context.Context, container, name string, netns *os.File) error
	Rename(id, name string) error
	Restore(ctx context.Context, running map[string]*os.File) error
	NetworkInspect(ctx context.Context, name, scope string, verbose bool) (*net.Inspect, error)
}

// Tasks is what is used of task.Manager; Shims makes one of it.
type Tasks interface {
	Create(ctx context.Context, o task.CreateOptions) (Task, error)
	Load(ctx context.Context, id, bundle string) (Task, error)
	Clean(ctx context.Context, id, bundle string) (task.Exit, error)
}

// Process is what a container's init and an exec have in common.
type Process interface {
	Pid() int
	Start(ctx context.Context) error
	Resize(ctx context.Context, width, height uint32) error
	CloseStdin(ctx context.Context) error
	Wait(ctx context.Context) (task.Exit, error)
	Delete(ctx context.Context) (task.Exit, error)
	Attach(ctx context.Context, o task.AttachOptions, conn io.ReadWriteCloser) (Attachment, error)
}

// Task is a container that has a shim.
type Task interface {
	Process
	Kill(ctx context.Context, sig unix.Signal, all bool) error
	Pause(ctx context.Context) error
	Resume(ctx context.Context) error
	Update(ctx context.Context, r *specs.LinuxResources) error
	Pids(ctx context.Context) ([]int, error)
	Stats(ctx context.Context) (*task.Metrics, error)
	OOM() <-chan struct{}
	Over() bool // it had ended when it was loaded
	Exec(ctx context.Context, o task.ExecOptions) (Exec, error)
}

// Exec is a further process of a container.
type Exec interface {
	Process
	Kill(ctx context.Context, sig unix.Signal) error
}

// Attachment is a client that the shim serves.
type Attachment interface {
	Wait(ctx context.Context) (detached bool, err error)
}
