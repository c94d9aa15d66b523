package container

import (
	"fmt"
	"os"
	"strconv"

	"github.com/containerd/errdefs"
	"github.com/dhow-containers/dhow/higher/api"
)

// namespaces are what a container shares with others that run.
type namespaces struct {
	net, ipc, pid, user, shm string
	files                    *container // whose /etc/hosts and so on it has
	hostname                 *Record    // of the container whose network it is in
}

func namespace(pid int, kind string) string { return "/proc/" + strconv.Itoa(pid) + "/ns/" + kind }

// namespaces finds those of --network, --ipc and --pid container:NAME.
func (l *launch) namespaces() (*namespaces, error) {
	n := &namespaces{}
	if l.r.networked() {
		n.files = l.container
	}
	if l.r.sharesIPC() {
		n.shm = l.shm()
	}
	for _, join := range []func(*namespaces) error{l.joinNetwork, l.joinIPC, l.joinPID} {
		if err := join(n); err != nil {
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
	return l.joinUser(n, r)
}

func (l *launch) joinIPC(n *namespaces) error {
	if !l.r.HostConfig.IpcMode.IsContainer() {
		return nil
	}
	other, err := l.m.live(l.r.HostConfig.IpcMode.Container())
	if err != nil {
		return err
	}
	n.ipc = namespace(other.Pid, "ipc")
	if err := l.joinUser(n, other); err != nil {
		return err
	}
	switch {
	case other.sharesIPC():
		donor, err := l.m.get(other.ID)
		if err != nil {
			return err
		}
		n.shm = donor.shm()
	case other.HostConfig.IpcMode.IsHost():
		n.shm = "/dev/shm"
	default:
		return invalidf("container %s: non-shareable IPC (hint: use IpcMode:shareable for the donor container)", other.ID)
	}
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
	return l.joinUser(n, other)
}

// joinUser joins the user namespace, too, of a container of which another is joined: only there a remapped container has
// power over that. Over namespaces of the host's root it would have none, and could not mount the file systems that show them.
func (l *launch) joinUser(n *namespaces, other *Record) error {
	switch {
	case l.ids() == nil:
		return nil
	case l.m.idsOf(other) == nil:
		return invalidf("cannot join a namespace of container %s, which has the host's user namespace: this one needs --userns=host, too", other.Name)
	}
	user := namespace(other.Pid, "user")
	its, err := os.Readlink(user)
	if err != nil {
		return fmt.Errorf("cannot find the user namespace of container %s: %w", other.Name, err)
	}
	if n.user != "" {
		if joined, err := os.Readlink(n.user); err != nil || joined != its { // one may have joined the other's
			return invalidf("cannot join namespaces of several containers: each has a user namespace of its own")
		}
	}
	n.user = user
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
