package task

import (
	"context"
	"io"

	"github.com/containerd/errdefs"
	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// Manager starts shims and finds them again.
type Manager struct{ o Options }

// New makes a Manager.
func New(o Options) *Manager { return &Manager{o: o} }

var errSoon = errdefs.ErrNotImplemented.WithMessage("cannot run tasks: not supported yet")

// Create starts a shim and creates the container. Nothing is left on an error.
func (m *Manager) Create(ctx context.Context, o CreateOptions) (*Task, error) { return nil, errSoon }

// Load finds a task whose shim still runs; ErrNotFound when there is none.
func (m *Manager) Load(ctx context.Context, id, bundle string) (*Task, error) { return nil, errSoon }

// Clean removes what is left of a container whose shim is gone. It may be called again.
func (m *Manager) Clean(ctx context.Context, id, bundle string) (Exit, error) { return Exit{}, errSoon }

// CheckLog says what is wrong with a log's driver and options (ErrInvalidArgument).
func CheckLog(c LogConfig) error { return errSoon }

// Task is a container that has a shim.
type Task struct{}

// Pid is that of the container's init.
func (t *Task) Pid() int { return 0 }

// Start lets the created container run.
func (t *Task) Start(ctx context.Context) error { return errSoon }

// Kill sends a signal to the init, or to all processes.
func (t *Task) Kill(ctx context.Context, sig unix.Signal, all bool) error { return errSoon }

// Pause stops all processes.
func (t *Task) Pause(ctx context.Context) error { return errSoon }

// Resume lets them go on.
func (t *Task) Resume(ctx context.Context) error { return errSoon }

// Update changes limits.
func (t *Task) Update(ctx context.Context, r *specs.LinuxResources) error { return errSoon }

// Pids are all processes, as the host counts them.
func (t *Task) Pids(ctx context.Context) ([]int, error) { return nil, errSoon }

// Stats reads the statistics.
func (t *Task) Stats(ctx context.Context) (*Metrics, error) { return nil, errSoon }

// Resize sets the size of the terminal.
func (t *Task) Resize(ctx context.Context, width, height uint32) error { return errSoon }

// CloseStdin ends the input.
func (t *Task) CloseStdin(ctx context.Context) error { return errSoon }

// Wait returns when the container has ended and its output is logged, and with the clients. Many may wait.
func (t *Task) Wait(ctx context.Context) (Exit, error) { return Exit{}, errSoon }

// Delete removes a container that has ended, or never started; the shim ends.
func (t *Task) Delete(ctx context.Context) (Exit, error) { return Exit{}, errSoon }

// OOM is sent to after each OOM kill that is noticed, and closed with the end of the container.
func (t *Task) OOM() <-chan struct{} { return nil }

// OOMKilled says whether there was an OOM kill.
func (t *Task) OOMKilled(ctx context.Context) bool { return false }

// Exec makes a further process, which Process.Start starts.
func (t *Task) Exec(ctx context.Context, o ExecOptions) (*Process, error) { return nil, errSoon }

// Process finds an exec that was made before, as after a restart of the daemon.
func (t *Task) Process(ctx context.Context, id string) (*Process, error) { return nil, errSoon }

// Attach hands a client's connection to the shim. The caller closes conn once the attachment has ended.
func (t *Task) Attach(ctx context.Context, o AttachOptions, conn io.ReadWriteCloser) (*Attachment, error) {
	return nil, errSoon
}

// Process is an exec.
type Process struct{}

// Pid is 0 before Start.
func (p *Process) Pid() int { return 0 }

// Start runs it.
func (p *Process) Start(ctx context.Context) error { return errSoon }

// Kill sends it a signal.
func (p *Process) Kill(ctx context.Context, sig unix.Signal) error { return errSoon }

// Resize sets the size of its terminal.
func (p *Process) Resize(ctx context.Context, width, height uint32) error { return errSoon }

// CloseStdin ends its input.
func (p *Process) CloseStdin(ctx context.Context) error { return errSoon }

// Wait returns when it has ended, and its output is with the clients.
func (p *Process) Wait(ctx context.Context) (Exit, error) { return Exit{}, errSoon }

// Delete forgets it.
func (p *Process) Delete(ctx context.Context) (Exit, error) { return Exit{}, errSoon }

// Attach hands a client's connection to the shim, also before Start. The caller closes conn once the attachment has ended.
func (p *Process) Attach(ctx context.Context, o AttachOptions, conn io.ReadWriteCloser) (*Attachment, error) {
	return nil, errSoon
}

// Attachment is a client that the shim serves.
type Attachment struct{}

// Wait returns when the client has detached, or has gone away, or has got all output of a process that has ended.
func (a *Attachment) Wait(ctx context.Context) (detached bool, err error) { return false, errSoon }
