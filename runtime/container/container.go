// Package container creates, starts, enters, signals and removes OCI containers on this host. It owns
// the state directory (one directory a container), the life cycle of the OCI runtime spec
// (runtime.md) and the locks; what happens inside the container is decided by package plan and
// carried out by package launch.
package container

import (
	"errors"
	"log/slog"
	"time"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/runtime/plan"
)

// Store is the set of containers kept under one root directory.
type Store struct {
	Root          string // state directory, mode 0700, one sub-directory a container
	SystemdCgroup bool   // --systemd-cgroup
	Rootless      string // --rootless: "true", "false" or "auto"
	Log           *slog.Logger
}

// CreateOptions are the flags of create and run.
type CreateOptions struct {
	Bundle        string // directory that holds config.json
	ConsoleSocket string // AF_UNIX socket that receives the terminal's master end
	PidFile       string // file that receives the pid of the container's init
	PreserveFDs   int    // descriptors kept open above stdio: 3 … 2+PreserveFDs
	NoPivot       bool   // move the root over / and chroot instead of pivot_root (initramfs)
	NoNewKeyring  bool   // keep the caller's session keyring
}

// RunOptions are the flags of run.
type RunOptions struct {
	CreateOptions
	Detach      bool
	Keep        bool // keep the state directory and cgroup after exit
	NoSubreaper bool
}

// ExecOptions are the flags of exec. A nil pointer or empty value leaves what the config says.
type ExecOptions struct {
	Process       *specs.Process // whole process (--process); the fields below are already merged into it
	ConsoleSocket string
	PidFile       string
	PreserveFDs   int
	Detach        bool
	IgnorePaused  bool
	Cgroups       []string // --cgroup [CONTROLLER[,CONTROLLER…]:]PATH
	PidfdSocket   string
}

// Info is one container as list and state show it.
type Info struct {
	specs.State
	Rootfs  string
	Created time.Time
	Owner   string
}

// Container is the static part of a container's record, with its config.
type Container struct {
	ID     string
	Bundle string
	Config *specs.Spec
}

var errSkeleton = errors.New("internal error: skeleton")

func (s *Store) Create(id string, o CreateOptions) error                { return errSkeleton }
func (s *Store) Run(id string, o RunOptions) (exit int, err error)      { return 1, errSkeleton }
func (s *Store) Start(id string) error                                  { return errSkeleton }
func (s *Store) State(id string) (*Info, error)                         { return nil, errSkeleton }
func (s *Store) List() ([]*Info, error)                                 { return nil, errSkeleton }
func (s *Store) Get(id string) (*Container, error)                      { return nil, errSkeleton }
func (s *Store) Kill(id string, sig unix.Signal, all bool) error        { return errSkeleton }
func (s *Store) Delete(id string, force bool) error                     { return errSkeleton }
func (s *Store) Exec(id string, o ExecOptions) (exit int, err error)    { return 1, errSkeleton }
func (s *Store) Processes(id string) ([]int, error)                     { return nil, errSkeleton }
func (s *Store) Plan(id string, o CreateOptions) (*plan.Program, error) { return nil, errSkeleton }
