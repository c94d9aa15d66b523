package container

import (
	"fmt"
	"os"
	"slices"
	"strconv"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/runtime/cgroup"
	"github.com/dhow-containers/dhow/spec"
)

// Processes lists the pids in the container, as the host numbers them.
func (s *Store) Processes(id string) ([]int, error) {
	h, err := s.open(id)
	if err != nil {
		return nil, err
	}
	defer h.close()
	pids, err := h.processes()
	slices.Sort(pids)
	return pids, err
}

// processes are those in the control group; without one, those in the pid namespace that was made for the
// container, and which this process may look into.
func (h *handle) processes() ([]int, error) {
	if len(h.Cgroups) > 0 {
		return cgroup.Open(h.Cgroups).Pids()
	}
	own, err := h.ownPIDs()
	if err != nil {
		return nil, err
	}
	if !own {
		return nil, errConflict("cannot list the processes of container %q: it has neither a control group nor a pid namespace of its own", h.ID)
	}
	if !h.alive() {
		return nil, nil
	}
	return inPIDNamespace(h.Pid)
}

// ownPIDs says whether the container got a pid namespace of its own, which ends with its first process.
func (h *handle) ownPIDs() (bool, error) {
	doc, err := h.config()
	if err != nil {
		return false, err
	}
	return spec.NewNamespace(doc.Spec, specs.PIDNamespace), nil
}

// inPIDNamespace lists the processes that are in the pid namespace of pid.
func inPIDNamespace(pid int) ([]int, error) {
	var own unix.Stat_t
	if err := statNamespace(pid, &own); err != nil {
		return nil, fmt.Errorf("cannot look at the pid namespace of process %d: %w", pid, err)
	}
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, err
	}
	var pids []int
	for _, e := range entries {
		var st unix.Stat_t
		if n, err := strconv.Atoi(e.Name()); err == nil && statNamespace(n, &st) == nil && st.Ino == own.Ino {
			pids = append(pids, n)
		}
	}
	return pids, nil
}

func statNamespace(pid int, st *unix.Stat_t) error {
	return unix.Stat("/proc/"+strconv.Itoa(pid)+"/ns/pid", st)
}

// killAll sends a signal to every process of the container.
func (h *handle) killAll(sig unix.Signal) error {
	if len(h.Cgroups) > 0 {
		if err := cgroup.Open(h.Cgroups).Kill(sig); err != nil {
			return fmt.Errorf("cannot kill the processes of container %q: %w", h.ID, err)
		}
		return nil
	}
	if own, err := h.ownPIDs(); err != nil || own && sig == unix.SIGKILL {
		if err == nil {
			err = h.kill(sig) // the kernel kills the rest
		}
		return err
	}
	namespace, err := unix.Open("/proc/"+strconv.Itoa(h.Pid)+"/ns/pid", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err == unix.ENOENT {
		return nil // it has ended
	}
	if err != nil {
		return fmt.Errorf("cannot look at the pid namespace of container %q: %w", h.ID, err)
	}
	defer unix.Close(namespace) // until then nothing else has its inode number
	pids, err := h.processes()
	for _, pid := range pids {
		if e := killIn(namespace, pid, sig); e != nil && err == nil {
			err = fmt.Errorf("cannot kill process %d of container %q: %w", pid, h.ID, e)
		}
	}
	return err
}

// killIn sends a signal to a process that has been seen in a pid namespace, if it is still there. Another may have
// its number by now: so it is looked at again once there is a descriptor of it.
func killIn(namespace, pid int, sig unix.Signal) error {
	pidfd, err := unix.PidfdOpen(pid, 0)
	if err == nil {
		defer unix.Close(pidfd)
		var here, its unix.Stat_t
		if err = unix.Fstat(namespace, &here); err == nil {
			err = statNamespace(pid, &its)
		}
		if err == nil && here.Ino == its.Ino {
			err = unix.PidfdSendSignal(pidfd, sig, nil, 0)
		}
	}
	if err == unix.ESRCH || err == unix.ENOENT { // it has ended
		return nil
	}
	return err
}
