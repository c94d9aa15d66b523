package command

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/dhow-containers/dhow/runtime/cgroup"
	"github.com/dhow-containers/dhow/runtime/checkpoint"
	"github.com/dhow-containers/dhow/runtime/container"
	"github.com/dhow-containers/dhow/spec"
)

// State asks for the state.
func (r *Runtime) State(id string) (*container.Info, error) {
	text, err := r.run(nil, "state", id)
	if err != nil {
		if !r.has(id) {
			err = notFound{err}
		}
		return nil, err
	}
	var info container.Info
	if err := json.Unmarshal(text, &info.State); err != nil {
		return nil, r.errorf("cannot read the state: %w", err)
	}
	return &info, nil
}

// Get reads the container's config.
func (r *Runtime) Get(id string) (*container.Container, error) {
	text, err := os.ReadFile(filepath.Join(r.Bundle, "config.json"))
	if err != nil {
		return nil, err
	}
	doc, err := spec.Decode(text)
	if err != nil {
		return nil, err
	}
	return &container.Container{ID: id, Bundle: r.Bundle, Config: doc.Spec}, nil
}

// Processes lists the container's, of its control groups; without any, as the runtime does.
func (r *Runtime) Processes(id string) ([]int, error) {
	g, err := Groups(r.Bundle)
	if err != nil {
		return nil, err
	}
	if len(g.Paths) > 0 {
		return g.Pids()
	}
	text, err := r.run(nil, "ps", "--format", "json", id)
	if err != nil {
		return nil, err
	}
	var pids []int
	if err := json.Unmarshal(text, &pids); err != nil {
		return nil, r.errorf("cannot read the list of processes: %w", err)
	}
	return pids, nil
}

// Stats reads the statistics of the container's control groups.
func (r *Runtime) Stats(string) (*container.Stats, error) {
	g, err := Groups(r.Bundle)
	if err != nil {
		return nil, err
	}
	counted, err := g.Stats()
	if err != nil {
		return nil, err
	}
	return &container.Stats{Stats: counted}, nil
}

// WatchOOM begins to watch for the kernel's OOM killer.
func (r *Runtime) WatchOOM(string) (*cgroup.OOMWatch, error) {
	g, err := Groups(r.Bundle)
	if err != nil {
		return nil, err
	}
	return g.WatchOOM()
}

// Checkpoint is refused: which files criu leaves, and how they are restored, is each runtime's own.
func (r *Runtime) Checkpoint(id string, _ checkpoint.Options) error {
	return refused{fmt.Errorf("cannot checkpoint container %q: its runtime is %q, and only our own has checkpoints here", id, r.Path)}
}

// RestoreProcess is refused.
func (r *Runtime) RestoreProcess(id string, _ container.RestoreOptions) (*container.Process, error) {
	return nil, refused{fmt.Errorf("cannot restore container %q: its runtime is %q, and only our own has checkpoints here", id, r.Path)}
}

type refused struct{ error }

func (refused) NotImplemented() {}
func (e refused) Unwrap() error { return e.error }
