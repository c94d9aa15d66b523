package container

import (
	"fmt"
	"os"
	"strconv"

	"github.com/containerd/errdefs"
	"github.com/dhow-containers/dhow/higher/api"
	"github.com/dhow-containers/dhow/runtime/inroot"
	"golang.org/x/sys/unix"
)

// namespaces are what a container shares with others that run.
type namespaces struct {
	net, ipc, pid, shm string
	files              *container // whose /etc/hosts and so on it has
	hostname           *Record    // of the container whose network it is in
	held               *os.File
}

func (n *namespaces) close() error {
	if n.held == nil {
		return nil
	}
	return n.held.Close()
}

func namespace(pid int, kind string) string { return "/proc/" + strconv.Itoa(pid) + "/ns/" + kind }

// namespaces finds those of --network, --ipc and --pid container:NAME.
func (l *launch) namespaces() (*namespaces, error) {
	n := &namespaces{}
	if l.r.networked() {
		n.files = l.container
	}
	for _, join := range []func(*namespaces) error{l.joinNetwork, l.joinIPC, l.joinPID} {
		if err := join(n); err != nil {
			if e := n.close(); e != nil {
				l.m.Log.Warn("cannot close the shared memory of another container", "error", e)
			}
			return nil, err
		}
	}
	return n, nil
}

func (l *launch) joinNetwork(n *namespaces) error {
	mode := l.r.HostConfig.NetworkMode
	if !mode.IsContainer() {
		return nil
	}
	other, err := l.m.get(mode.ConnectedContainer())
	if err != nil {
		return api.Errorf(errdefs.ErrInternal, "joining network namespace of container: %v", err)
	}
	r := other.record()
	switch {
	case other == l.container:
		return api.Errorf(errdefs.ErrInternal, "cannot join own network namespace")
	case !r.Running():
		return conflictf("cannot join network namespace of a non running container: container %s is %s", r.Name, r.Phase)
	case r.Phase == Restarting:
		return fmt.Errorf("cannot join network namespace of container: %w", restarting(r.ID))
	}
	n.net, n.files, n.hostname = namespace(r.Pid, "net"), other, r
	return nil
}

func (l *launch) joinIPC(n *namespaces) error {
	if !l.r.HostConfig.IpcMode.IsContainer() {
		return nil
	}
	other, err := l.m.live(l.r.HostConfig.IpcMode.Container())
	if err != nil {
		return err
	}
	if !other.HostConfig.IpcMode.IsShareable() && !other.HostConfig.IpcMode.IsHost() {
		return invalidf("container %s: non-shareable IPC (hint: use IpcMode:shareable for the donor container)", other.ID)
	}
	root, err := openRootOf(other.Pid)
	if err != nil {
		return err
	}
	defer func() { _ = root.Close() }()
	shm, err := inroot.Open(int(root.Fd()), "dev/shm", unix.O_PATH|unix.O_DIRECTORY)
	if err != nil {
		return fmt.Errorf("cannot open /dev/shm of container %s: %w", other.ID, err)
	}
	n.held = os.NewFile(uintptr(shm), "shm")
	n.ipc = namespace(other.Pid, "ipc")
	n.shm = fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), n.held.Fd())
	return nil
}

func (l *launch) joinPID(n *namespaces) error {
	if !l.r.HostConfig.PidMode.IsContainer() {
		return nil
	}
	other, err := l.m.live(l.r.HostConfig.PidMode.Container())
	if err != nil {
		return err
	}
	n.pid = namespace(other.Pid, "pid")
	return nil
}

// live finds a container that runs.
func (m *Manager) live(name string) (*Record, error) {
	c, err := m.get(name)
	if err != nil {
		return nil, invalidf("%v", err)
	}
	r := c.record()
	switch {
	case r.Phase == Restarting:
		return nil, restarting(name)
	case !r.Running():
		return nil, notRunning(name)
	}
	return r, nil
}
