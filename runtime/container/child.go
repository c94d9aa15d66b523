package container

import (
	"os"

	"github.com/dhow-containers/dhow/runtime/cgroup"
)

// Process is a process of a container that is the caller's child: the caller reaps it, and kills it when it does
// not want it any more.
//
// A caller that reaps with wait4(-1) must not do so while Create, CreateProcess, Start, StartExec or Delete runs: these
// have children of their own (hooks, the steps before a pid namespace is entered, processes that failed), and wait
// for them.
type Process struct {
	Pid      int
	Terminal *os.File // master end of its terminal, which is the caller's to close; nil without one
}

// CreateProcess is Create for a caller that stays: it serves the terminal itself, unless there is a
// ConsoleSocket, and reaps the container's init.
func (s *Store) CreateProcess(id string, o CreateOptions) (*Process, error) {
	m, err := s.create(id, &o, o.ConsoleSocket != "")
	if err != nil {
		return nil, err
	}
	defer m.close()
	return &Process{m.Pid, m.master}, nil
}

// StartExec is a detached Exec for a caller that stays: it serves the terminal itself, unless there is a
// ConsoleSocket, and reaps the process.
func (s *Store) StartExec(id string, o ExecOptions) (*Process, error) {
	h, err := s.open(id)
	if err != nil {
		return nil, err
	}
	defer h.close()
	e := &entering{handle: h, o: &o, agent: -1, raw: true}
	defer e.close()
	if err := e.prepare(); err != nil {
		return nil, err
	}
	if err := e.launch(); err != nil {
		if e.master != nil {
			e.master.Close()
		}
		return nil, err
	}
	e.proc.Forget()
	return &Process{e.proc.Pid, e.master}, nil
}

// stdio are the descriptors that become a process's 0, 1 and 2.
func stdio(given *[3]uintptr) [3]uintptr {
	if given == nil {
		return [3]uintptr{0, 1, 2}
	}
	return *given
}

// WatchOOM begins to watch a container for the kernel's OOM killer. The caller closes the watch.
//
// Errors: NotImplemented (github.com/containerd/errdefs) when its control group has no memory controller.
func (s *Store) WatchOOM(id string) (*cgroup.OOMWatch, error) {
	h, err := s.open(id)
	if err != nil {
		return nil, err
	}
	defer h.close()
	return cgroup.Open(h.Cgroups).WatchOOM()
}
