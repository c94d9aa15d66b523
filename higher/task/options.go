package task

import (
	"log/slog"
	"time"

	specs "github.com/opencontainers/runtime-spec/specs-go"

	"github.com/dhow-containers/dhow/runtime/cgroup"
	"github.com/dhow-containers/dhow/shim/api"
)

// Mount is a part of a root file system, which the shim mounts.
type Mount = api.Mount

// Options are what a Manager needs to know.
type Options struct {
	Shim          string // path of containerd-shim-dhow-v2
	Root          string // exec-root/containers
	RuntimeRoot   string // where the runtime keeps its state
	SystemdCgroup bool
	Log           *slog.Logger
}

// CreateOptions are a new task's.
type CreateOptions struct {
	ID        string
	Bundle    string // a directory with config.json, below Options.Root
	Rootfs    []Mount
	Terminal  bool
	Stdin     bool // it has an input, else /dev/null
	StdinOnce bool // which ends with the first client that gives one
	Log       LogConfig
	Runtime   *Runtime // nil is ours

	IOUID, IOGID int // owner of pipes for standard streams: the container's root, on the host
}

// Runtime is another runtime than ours, with runc's command line.
type Runtime struct {
	Name string
	Path string   // of the program, or its name in $PATH
	Args []string // in front of all others
}

// LogConfig says where output is logged.
type LogConfig struct {
	Driver  string            // json-file, local, none; "" is json-file
	Path    string            // of the log file
	Options map[string]string // max-size, max-file, compress, mode, max-buffer-size; others are left to the caller
	Attrs   map[string]string // what each entry carries along (json-file): labels, environment, tag
}

// Exit is how a process ended.
type Exit struct {
	Status    uint32
	At        time.Time
	OOMKilled bool // the kernel has killed for want of memory in this container; of an exec it is false
}

// Metrics are a container's statistics.
type Metrics struct {
	Read    time.Time
	Unified bool // control groups of version 2; else CPU and memory count as version 1 does
	*cgroup.Stats
}

// ExecOptions are those of a further process of a container.
type ExecOptions struct {
	ID       string
	Process  *specs.Process
	Terminal bool
	Stdin    bool
}

// AttachOptions say what of a process a client is connected with.
type AttachOptions struct {
	Stdin, Stdout, Stderr bool
	DetachKeys            string // as Docker writes them; "" is ctrl-p,ctrl-q. Only a terminal has any
	CloseStdin            bool   // the end of the client's input is that of the process (no terminal); else it detaches
	Raw                   bool   // no frames also without a terminal: a web socket
}
