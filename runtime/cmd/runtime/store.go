package main

import (
	"os"
	"path/filepath"
	"time"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/runtime/cgroup"
	"github.com/dhow-containers/dhow/runtime/container"
	"github.com/dhow-containers/dhow/runtime/plan"
)

// store is what the verbs need of *container.Store.
type store interface {
	Create(id string, o container.CreateOptions) error
	Run(id string, o container.RunOptions) (exit int, err error)
	Start(id string) error
	State(id string) (*container.Info, error)
	List() ([]*container.Info, error)
	Get(id string) (*container.Container, error)
	Kill(id string, sig unix.Signal, all bool) error
	Delete(id string, force bool) error
	Exec(id string, o container.ExecOptions) (exit int, err error)
	Processes(id string) ([]int, error)
	Pause(id string) error
	Resume(id string) error
	Update(id string, r *specs.LinuxResources) error
	Stats(id string) (*cgroup.Stats, error)
	Events(id string, interval time.Duration, report func(container.Event) error) error
	UpdateIntelRdt(id, l3, memBw string) error
	Plan(id string, o container.CreateOptions) (*plan.Program, error)
}

var _ store = (*container.Store)(nil)

func openStore(a *app) store {
	rootless := a.rootless
	if rootless == "" {
		rootless = "auto"
	}
	return &container.Store{
		Root:          rootDir(a.root, os.Geteuid(), os.Getenv("XDG_RUNTIME_DIR")),
		SystemdCgroup: a.systemdCgroup,
		Rootless:      rootless,
		Log:           a.log,
	}
}

// rootDir is where state is kept: --root, else the place the host has for it.
func rootDir(flag string, euid int, runtimeDir string) string {
	switch {
	case flag != "":
		if abs, err := filepath.Abs(flag); err == nil {
			return abs
		}
		return flag
	case euid != 0 && runtimeDir != "":
		return filepath.Join(runtimeDir, "dhow")
	}
	return "/run/dhow"
}
