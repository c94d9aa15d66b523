package main

import (
	"os"
	"path/filepath"
	"strconv"
	"time"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/runtime/checkpoint"
	"github.com/dhow-containers/dhow/runtime/container"
	"github.com/dhow-containers/dhow/runtime/diagnose"
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
	Stats(id string) (*container.Stats, error)
	Events(id string, interval time.Duration, report func(container.Event) error) error
	UpdateIntelRdt(id, l3, memBw string) error
	Checkpoint(id string, o checkpoint.Options) error
	Restore(id string, o container.RestoreOptions) (exit int, err error)
	Plan(id string, o container.CreateOptions) (*plan.Program, error)
}

var _ store = (*container.Store)(nil)

func openStore(a *app) store {
	rootless := a.rootless
	if rootless == "" {
		rootless = "auto"
	}
	return &container.Store{
		Root:          rootDir(a.root, os.Geteuid()),
		DefaultRoot:   a.root == "",
		SystemdCgroup: a.systemdCgroup,
		Rootless:      rootless,
		Copier:        true,
		NotifySocket:  os.Getenv("NOTIFY_SOCKET"),
		Log:           a.log,
	}
}

// rootDir is where state is kept: --root, else the place the host has for it.
func rootDir(flag string, euid int) string {
	switch {
	case flag != "":
		if abs, err := filepath.Abs(flag); err == nil {
			return abs
		}
		return flag
	case userDirs(euid):
		return userRoot(euid, os.Getenv("XDG_RUNTIME_DIR"), "/run/user/"+strconv.Itoa(euid))
	}
	return "/run/dhow"
}

// userDirs says whether state goes where a user's does: for everybody but root, and for root of a user namespace who
// does not call himself so, as runc has it.
func userDirs(euid int) bool {
	return euid != 0 || os.Getenv("USER") != "root" && os.Getenv("XDG_RUNTIME_DIR") != "" && diagnose.InUserNamespace()
}

// userRoot is below $XDG_RUNTIME_DIR, or where that usually is (file-hierarchy(7)), or else below /tmp, where package
// container makes sure that it is the user's own.
func userRoot(euid int, runtimeDir, usual string) string {
	if runtimeDir != "" {
		return filepath.Join(runtimeDir, "dhow")
	}
	var st unix.Stat_t
	if unix.Stat(usual, &st) == nil && int(st.Uid) == euid {
		return filepath.Join(usual, "dhow")
	}
	return "/tmp/dhow-" + strconv.Itoa(euid)
}
