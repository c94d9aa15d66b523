package container

import (
	"errors"
	"fmt"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/runtime/launch"
)

// agent is a connection to the seccomp agent of linux.seccomp.listenerPath, -1 for none.
type agent int

// connectAgent connects to the agent at path. It is done before the process may load its filter, so that an
// agent that is not there is found out while nothing has happened.
func connectAgent(path string) (agent, error) {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, fmt.Errorf("cannot hand over the seccomp listener (linux.seccomp.listenerPath): socket: %w", err)
	}
	for {
		err = unix.Connect(fd, &unix.SockaddrUnix{Name: path})
		if err != unix.EINTR {
			break
		}
	}
	if err != nil {
		unix.Close(fd)
		return -1, fmt.Errorf("cannot hand over the seccomp listener (linux.seccomp.listenerPath): failed to connect with seccomp agent %s: %w", path, err)
	}
	return agent(fd), nil
}

// close hangs up, which the agent has to expect: what it needs, it has then.
func (a *agent) close() {
	if *a >= 0 {
		unix.Close(int(*a))
		*a = -1
	}
}

// listener hands on the seccomp listener of the process with this pid, with the state of the container.
func (a *agent) listener(r *launch.Request, config *specs.Spec, pid int, state []byte) error {
	if len(r.FDs) != 1 || *a < 0 {
		for _, fd := range r.FDs {
			unix.Close(fd)
		}
		return errors.New("internal error: the seccomp listener did not arrive, or has nowhere to go")
	}
	defer a.close()
	defer unix.Close(r.FDs[0])
	text := processState(pid, config.Linux.Seccomp.ListenerMetadata, state)
	rights := unix.UnixRights(r.FDs[0])
	for len(text) > 0 {
		n, err := unix.SendmsgN(int(*a), text, rights, nil, unix.MSG_NOSIGNAL)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return fmt.Errorf("cannot hand over the seccomp listener (linux.seccomp.listenerPath): sendmsg: %w", err)
		}
		text, rights = text[n:], nil
	}
	return nil
}

// processState is the "Container Process State" of config-linux.md.
func processState(pid int, metadata string, state []byte) []byte {
	b := make([]byte, 0, len(state)+256)
	b = append(b, `{"ociVersion":`...)
	b = appendString(b, specs.Version)
	b = append(b, `,"fds":[`...)
	b = appendString(b, specs.SeccompFdName)
	b = append(b, `],"pid":`...)
	b = appendInt(b, pid)
	if metadata != "" {
		b = append(b, `,"metadata":`...)
		b = appendString(b, metadata)
	}
	b = append(b, `,"state":`...)
	b = append(b, state...)
	return append(b, '}')
}
