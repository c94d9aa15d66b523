package container

import (
	"log/slog"
	"time"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// Store is the set of containers kept under one root directory.
type Store struct {
	Root          string // state directory, mode 0700, one sub-directory a container
	DefaultRoot   bool   // Root is not the caller's choice: only one of this user's own is used
	SystemdCgroup bool   // --systemd-cgroup
	Rootless      string // --rootless: "true", "false" or "auto"
	Copier        bool   // this program calls Copy when its name is CopierName
	NotifySocket  string // of the service manager, which is told when a container is ready: NOTIFY_SOCKET; "" for none
	Log           *slog.Logger
}

// CreateOptions are the flags of create and run.
type CreateOptions struct {
	Bundle        string // directory that holds config.json
	ConsoleSocket string // AF_UNIX socket that receives the terminal's master end
	PidfdSocket   string // AF_UNIX socket that receives a pidfd of the container's init
	PidFile       string // file that receives the pid of the container's init
	PreserveFDs   int    // descriptors kept open above stdio: 3 … 2+PreserveFDs
	ListenFDs     int    // of these, how many a service manager has opened: LISTEN_FDS; they come first, and PreserveFDs counts the rest
	ListenNames   string // their names: LISTEN_FDNAMES
	NoPivot       bool   // move the root over / and chroot instead of pivot_root (initramfs)
	NoNewKeyring  bool   // keep the caller's session keyring

	Stdio *[3]uintptr // descriptors that become the process's 0, 1 and 2 unless it has a terminal; nil for this process's own
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
	Stdio         *[3]uintptr // as in CreateOptions
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
