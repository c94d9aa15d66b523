package task

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/dhow-containers/dhow/runtime/container"
	"github.com/dhow-containers/dhow/shim/api"
	"github.com/dhow-containers/dhow/shim/boot"
)

// Manager starts shims and finds them again.
type Manager struct {
	o     Options
	store *container.Store // the runtime's, for what needs no shim
}

// New makes a Manager.
func New(o Options) *Manager {
	if o.Log == nil {
		o.Log = slog.Default()
	}
	return &Manager{o: o, store: &container.Store{Root: o.RuntimeRoot, SystemdCgroup: o.SystemdCgroup, Rootless: "auto"}}
}

// Files in a bundle, beside those of shim/task.
const (
	socketFile = "shim.sock"
	logFile    = "log" // where the shim writes what goes wrong
)

// runtimesDir is where other runtimes keep their states, each in a directory of its name, beside RuntimeRoot.
const runtimesDir = "runtimes"

// namespace is the part of RuntimeRoot that a shim appends to its option Root.
func (m *Manager) namespace() string { return filepath.Base(m.o.RuntimeRoot) }

func (m *Manager) params(id string) *boot.Params {
	return &boot.Params{ID: id, Namespace: m.namespace()}
}

func (m *Manager) shimOptions() *api.Options {
	return &api.Options{Root: filepath.Dir(m.o.RuntimeRoot), SystemdCgroup: m.o.SystemdCgroup}
}

// fork starts the shim of a container, a child of this process.
func (m *Manager) fork(id, bundle string) (pid int, err error) {
	fd, err := boot.Listen(filepath.Join(bundle, socketFile))
	if err != nil {
		return 0, fmt.Errorf("cannot start a shim: %w", err)
	}
	listener := os.NewFile(uintptr(fd), socketFile)
	defer listener.Close()
	if err := os.WriteFile(filepath.Join(bundle, logFile), nil, 0o600); err != nil {
		return 0, fmt.Errorf("cannot start a shim: %w", err)
	}
	pid, err = m.params(id).Fork(m.o.Shim, bundle, fd)
	if err != nil {
		return 0, err
	}
	if err := boot.AdjustOOMScore(pid, os.Getpid()); err != nil {
		kill(pid)
		reap(pid)
		return 0, err
	}
	return pid, nil
}
