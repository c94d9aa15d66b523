package task

import (
	"log/slog"
	"path/filepath"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/runtime/cgroup"
	"github.com/dhow-containers/dhow/runtime/checkpoint"
	"github.com/dhow-containers/dhow/runtime/container"
	"github.com/dhow-containers/dhow/shim/api"
	"github.com/dhow-containers/dhow/shim/command"
)

// backend is what the service has done by a runtime: by our own, which is a library (container.Store), or by the command line of
// another (command.Runtime). Processes that it makes are this process's children. What the methods promise is said at
// container.Store's.
type backend interface {
	CreateProcess(id string, o container.CreateOptions) (*container.Process, error)
	StartExec(id string, o container.ExecOptions) (*container.Process, error)
	RestoreProcess(id string, o container.RestoreOptions) (*container.Process, error)
	Start(id string) error
	Kill(id string, sig unix.Signal, all bool) error
	Pause(id string) error
	Resume(id string) error
	Update(id string, r *specs.LinuxResources) error
	Checkpoint(id string, o checkpoint.Options) error
	Delete(id string, force bool) error

	State(id string) (*container.Info, error)
	Get(id string) (*container.Container, error)
	Processes(id string) ([]int, error)
	Stats(id string) (*container.Stats, error)
	WatchOOM(id string) (*cgroup.OOMWatch, error)
}

// stateRoot is where our runtime keeps containers' states, below it a directory for each namespace. Others have directories beside
// it that are named after them, as containerd's shim for runc has.
const stateRoot = "/run/containerd/dhow"

// foreign says whether the options ask for another runtime than ours.
func foreign(o *api.Options) bool {
	name := filepath.Base(o.BinaryName)
	return o.BinaryName != "" && name != "runtime" && name != "dhow"
}

// backend is the runtime of a container.
func (s *Service) backend(o *api.Options, bundle string) backend {
	return backendFor(o, s.namespace, bundle, s.log, func() func() {
		s.reaper.hold()
		return s.reaper.release
	})
}

// backendFor is the runtime with these options. With hold nobody else reaps children until the release.
func backendFor(o *api.Options, namespace, bundle string, log *slog.Logger, hold func() (release func())) backend {
	root := o.Root
	if !foreign(o) {
		if root == "" {
			root = stateRoot
		}
		return &container.Store{Root: filepath.Join(root, namespace), SystemdCgroup: o.SystemdCgroup, Rootless: "auto", Log: log}
	}
	if root == "" {
		root = filepath.Join(filepath.Dir(stateRoot), filepath.Base(o.BinaryName))
	}
	return &command.Runtime{Path: o.BinaryName, Args: o.BinaryArgs, Root: filepath.Join(root, namespace), Bundle: bundle,
		SystemdCgroup: o.SystemdCgroup, Hold: hold}
}
