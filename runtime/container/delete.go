package container

import (
	"errors"
	"fmt"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/runtime/cgroup"
)

// killWait is how long a process may take to die of SIGKILL, in milliseconds: one in the middle of
// writing a core file or of unmounting a network file system takes its time.
const killWait = 10_000

// Kill sends a signal to the container's init, or with all to every process in it.
func (s *Store) Kill(id string, sig unix.Signal, all bool) error {
	h, err := s.open(id)
	if err != nil {
		return err
	}
	defer h.close()
	if all {
		if len(h.Cgroups) == 0 && !h.alive() {
			return nil // as with control groups: nothing is left that could get it
		}
		return h.killAll(sig)
	}
	if sig == unix.SIGKILL {
		if own, err := h.ownPIDs(); err == nil && !own { // the kernel does not end the others with the init
			return h.killRest()
		}
	}
	if err := h.kill(sig); err != nil || sig != unix.SIGKILL || h.Cgroups[""] != "" || len(h.Cgroups) == 0 {
		return err
	}
	// A process in a frozen v1 cgroup does not even die; in v2 it does.
	if err := cgroup.Open(h.Cgroups).Thaw(); err != nil {
		s.debug("cannot thaw a killed container", "id", id, "error", err)
	}
	return nil
}

// killRest kills every process of a container that may have survived its init.
func (h *handle) killRest() error {
	if pids, err := h.processes(); err != nil || len(pids) == 0 {
		return h.kill(unix.SIGKILL)
	}
	return h.killAll(unix.SIGKILL)
}

func (h *handle) kill(sig unix.Signal) error {
	pidfd, err := h.pidfd()
	if err == nil {
		defer unix.Close(pidfd)
		err = unix.PidfdSendSignal(pidfd, sig, nil, 0)
	}
	switch {
	case err == unix.ESRCH:
		return errConflict("cannot kill container %q: container not running", h.ID)
	case err == unix.EINVAL:
		return errInvalid("cannot kill container %q: there is no signal %d", h.ID, int(sig))
	case err != nil:
		return fmt.Errorf("cannot kill container %q: %w", h.ID, err)
	}
	return nil
}

// Delete removes a container that has stopped, or, with force, any, also one that does not exist or was
// never finished.
func (s *Store) Delete(id string, force bool) error {
	h, err := s.open(id)
	if err != nil {
		if !force {
			return err
		}
		return s.deleteUnread(id, err)
	}
	defer h.close()
	if !force {
		if err := h.lock(); err != nil {
			return err
		}
		switch status := h.status(); status {
		case specs.StateStopped, specs.StateCreated:
		default:
			return errConflict("cannot delete container %q: container is not stopped: %s", id, status)
		}
	}
	return h.delete()
}

// delete ends what lives of the container and removes what there is of it.
func (h *handle) delete() error {
	if h.Pid == 0 {
		if err := h.condemn(); err != nil {
			return err
		}
	}
	lock, err := h.lockDelete(h.end) // a create that is under way ends with its process
	if err == unix.ENOENT {
		return h.store.removeDir(h.ID, h.dir)
	}
	if err != nil {
		return err
	}
	defer unix.Close(lock)
	if err := h.end(); err != nil {
		return err
	}
	failpoint("ended")
	if err := errors.Join(h.store.deleteGroup(h.group()), h.removeRdt()); err != nil {
		return err
	}
	failpoint("ungrouped")
	if doc, err := h.config(); err == nil {
		h.stopHooks(doc.Spec)
	}
	return h.store.removeDir(h.ID, h.dir)
}

// end kills all processes of the container. The init is waited for, so that nothing of it is seen after
// delete; the rest is killed through the cgroup, which also finds an init that was never recorded.
func (h *handle) end() error {
	pidfd, err := h.pidfd()
	if err == nil {
		defer unix.Close(pidfd)
		unix.PidfdSendSignal(pidfd, unix.SIGKILL, nil, 0)
	}
	if err := cgroup.Open(h.Cgroups).Kill(unix.SIGKILL); err != nil && !errors.Is(err, unix.ENOENT) {
		return fmt.Errorf("cannot kill the processes of container %q: %w", h.ID, err)
	}
	if err == nil && !waitDead(pidfd, killWait) {
		return fmt.Errorf("cannot kill container %q: process %d does not die", h.ID, h.Pid)
	}
	return nil
}

// deleteUnread removes a container whose record is broken: a crash between making the directory and
// writing the record leaves that, when nothing else was made yet, and so may a power loss, which nothing
// of the container outlives. In case somebody else broke it, what can be found without the record is
// ended too: the first process, and the cgroup of the default name.
func (s *Store) deleteUnread(id string, cause error) error {
	var missing notFound
	if errors.As(cause, &missing) {
		return nil
	}
	var crash broken
	if !errors.As(cause, &crash) {
		return cause
	}
	root, err := s.openRoot()
	if err != nil {
		return err
	}
	defer unix.Close(root)
	dir, err := openDir(root, id)
	if err == unix.ENOENT {
		return nil // removed meanwhile
	}
	if err != nil {
		return cause
	}
	defer unix.Close(dir)
	if removed(dir) {
		return nil
	}
	h := &handle{&record{ID: id}, s, dir}
	if err := h.condemn(); err != nil {
		s.debug("no process is known", "id", id, "error", err)
	}
	if r, err := readRecord(dir, id); err == nil { // it was only just being made
		h.record = r
		return h.delete()
	}
	if host, err := cgroup.Detect(); err == nil {
		if p, err := cgroup.Compile(host, "", id, nil); err == nil {
			h.Cgroups = cgroupPaths(p)
		}
	}
	if err := h.end(); err != nil {
		return err
	}
	if err := s.deleteGroup(h.group()); err != nil {
		return err
	}
	return s.removeDir(id, dir)
}
