package container

import (
	"fmt"

	specs "github.com/opencontainers/runtime-spec/specs-go"

	"github.com/dhow-containers/dhow/runtime/cgroup"
)

// Pause stops every process of a running container and returns when all of them stand still. A container that is only
// created has nothing to pause, and would keep start waiting for its frozen init.
func (s *Store) Pause(id string) error {
	h, err := s.openLocked(id)
	if err != nil {
		return err
	}
	defer h.close()
	if status := h.status(); status != specs.StateRunning {
		return errConflict("cannot pause container %q: container not running: it is %s", id, status)
	}
	if err := h.noCgroup("pause"); err != nil {
		return err
	}
	end := s.span("freeze the control group", "id", id)
	err = cgroup.Open(h.Cgroups).Freeze()
	if end(err); err != nil {
		return fmt.Errorf("cannot pause container %q: %w", id, err)
	}
	return nil
}

// Resume lets the processes of a paused container go on.
func (s *Store) Resume(id string) error {
	h, err := s.openLocked(id)
	if err != nil {
		return err
	}
	defer h.close()
	if status := h.status(); status != statusPaused {
		return errConflict("cannot resume container %q: container not paused: it is %s", id, status)
	}
	if err := cgroup.Open(h.Cgroups).Thaw(); err != nil {
		return fmt.Errorf("cannot resume container %q: %w", id, err)
	}
	return nil
}

// openLocked finds a container and keeps out other verbs that change it.
func (s *Store) openLocked(id string) (*handle, error) {
	h, err := s.open(id)
	if err != nil {
		return nil, err
	}
	if err := h.lock(); err != nil {
		h.close()
		return nil, err
	}
	return h, nil
}
