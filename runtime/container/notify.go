package container

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// A container whose runtime has NOTIFY_SOCKET (sd_notify(3)) gets a socket of its own to say that it is ready: a
// directory of its record is bound into it. What it says there the process that starts the container passes on,
// and only that: a container must not choose the service's main process, say.
const (
	notifyDir    = "notify" // in the state directory
	notifyName   = "notify.sock"
	notifyInside = "/run/notify" // where the container has the directory, as with runc
)

// offerNotify adds the container's end to its config. source is the directory in the container's record.
func offerNotify(config *specs.Spec, source string) {
	config.Mounts = append(config.Mounts, specs.Mount{Destination: notifyInside, Source: source,
		Options: []string{"bind", "nosuid", "noexec", "nodev", "ro"}})
	config.Process.Env = append(config.Process.Env, "NOTIFY_SOCKET="+filepath.Join(notifyInside, notifyName))
}

// makeNotifyDir makes the directory for the socket.
func (h *handle) makeNotifyDir() error {
	if h.store.NotifySocket == "" {
		return nil
	}
	err := unix.Mkdirat(h.dir, notifyDir, 0o755)
	if err == nil {
		err = unix.Fchmodat(h.dir, notifyDir, 0o755, 0) // whatever the umask
	}
	if err != nil {
		return fmt.Errorf("cannot make the directory for notifications (NOTIFY_SOCKET): %w", err)
	}
	return nil
}

// removeNotifyDir removes it again.
func removeNotifyDir(dir int) {
	unix.Unlinkat(dir, notifyDir+"/"+notifyName, 0)
	unix.Unlinkat(dir, notifyDir, unix.AT_REMOVEDIR)
}

// notifier passes a container's notification on.
type notifier struct {
	inside int // the socket that the container sends to
	host   int // connected to the service manager's
}

// listenNotify makes the container's socket, nil when nobody is to be notified.
func (h *handle) listenNotify() (*notifier, error) {
	if h.store.NotifySocket == "" {
		return nil, nil
	}
	host, err := dgram()
	if err == nil {
		if err = unix.Connect(host, &unix.SockaddrUnix{Name: h.store.NotifySocket}); err != nil {
			unix.Close(host)
		}
	}
	if err != nil { // a variable that is left over must not keep a container from running
		h.store.warn("cannot reach the service manager", fmt.Errorf("NOTIFY_SOCKET=%s: %w", h.store.NotifySocket, err))
		return nil, nil
	}
	inside, err := h.bindNotify()
	if err != nil {
		unix.Close(host)
		return nil, fmt.Errorf("cannot make the socket for notifications (NOTIFY_SOCKET): %w", err)
	}
	return &notifier{inside, host}, nil
}

// bindNotify makes the socket in the directory that the container has.
func (h *handle) bindNotify() (int, error) {
	const name = notifyDir + "/" + notifyName
	unix.Unlinkat(h.dir, name, 0) // of a start that failed
	fd, err := dgram()
	if err != nil {
		return -1, err
	}
	if err = unix.Bind(fd, &unix.SockaddrUnix{Name: h.path(name)}); err == nil {
		err = unix.Fchmodat(h.dir, name, 0o777, 0)
	}
	if err == unix.ENOENT {
		err = errors.New("create did not have NOTIFY_SOCKET, so that the container has none")
	}
	if err != nil {
		unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

func dgram() (int, error) {
	return unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
}

func (n *notifier) close() {
	if n != nil {
		unix.Close(n.inside)
		unix.Close(n.host)
	}
}

// pass waits until the container says that it is ready, or has ended, and tells the service manager, which is to
// watch the process main from then on. told says that it has been told.
func (n *notifier) pass(pidfd, main int) (told bool, err error) {
	ready, err := n.ready(pidfd)
	if ready == nil || err != nil {
		return false, err
	}
	for _, line := range [...]string{string(ready), "MAINPID=" + strconv.Itoa(main)} {
		if _, err := unix.SendmsgN(n.host, []byte(line+"\n"), nil, nil, unix.MSG_NOSIGNAL); err != nil {
			return false, fmt.Errorf("cannot tell the service manager that the container is ready (NOTIFY_SOCKET): %w", err)
		}
	}
	return true, nil
}

// ready waits for a line READY=…, which it returns, or for the end of the process of pidfd: nil. What was sent before
// that end still counts; nothing can be sent after it, by whoever else has the socket.
func (n *notifier) ready(pidfd int) ([]byte, error) {
	buf := make([]byte, 4096)
	ended := false
	for {
		fds := []unix.PollFd{{Fd: int32(n.inside), Events: unix.POLLIN}, {Fd: int32(pidfd), Events: unix.POLLIN}}
		_, err := unix.Poll(fds, -1)
		switch {
		case err == unix.EINTR:
			continue
		case err != nil:
			return nil, fmt.Errorf("cannot wait for the container to be ready (NOTIFY_SOCKET): %w", err)
		case fds[1].Revents != 0 && !ended:
			ended = true
			if err := unix.Shutdown(n.inside, unix.SHUT_RD); err != nil {
				return nil, fmt.Errorf("cannot wait for the container to be ready (NOTIFY_SOCKET): %w", err)
			}
		}
		got, _, err := unix.Recvfrom(n.inside, buf, unix.MSG_DONTWAIT)
		if err == unix.EAGAIN && ended {
			return nil, nil
		}
		if err != nil && err != unix.EINTR && err != unix.EAGAIN {
			return nil, fmt.Errorf("cannot wait for the container to be ready (NOTIFY_SOCKET): %w", err)
		}
		for line := range bytes.SplitSeq(buf[:max(got, 0)], []byte{'\n'}) {
			if bytes.HasPrefix(line, []byte("READY=")) {
				return line, nil
			}
		}
	}
}

// barrierPatience is for how long the service manager may take to read what it was told, in milliseconds.
const barrierPatience = 30_000

// barrier waits until the service manager has read what it was told (sd_notify_barrier(3)): it closes a descriptor
// that it is sent. Otherwise it could learn of our end first, and not know whose the message was.
func (n *notifier) barrier() error {
	var pipe [2]int
	err := unix.Pipe2(pipe[:], unix.O_CLOEXEC)
	if err == nil {
		defer unix.Close(pipe[0])
		_, err = unix.SendmsgN(n.host, []byte("BARRIER=1"), unix.UnixRights(pipe[1]), nil, unix.MSG_NOSIGNAL)
		unix.Close(pipe[1])
	}
	if err != nil {
		return fmt.Errorf("cannot wait for the service manager (NOTIFY_SOCKET): %w", err)
	}
	if !waitHangUp(pipe[0], barrierPatience) {
		return errors.New("the service manager has not answered a barrier in 30 s (NOTIFY_SOCKET)")
	}
	return nil
}

// waitHangUp waits until the other end of a pipe is closed.
func waitHangUp(fd, ms int) bool {
	fds := []unix.PollFd{{Fd: int32(fd)}} // POLLHUP comes unasked
	for {
		n, err := unix.Poll(fds, ms)
		if err != unix.EINTR {
			return err == nil && n > 0
		}
	}
}

// passStarted is passDetached for the process that init is, unlocking the container: it may take as long as
// the container likes.
func (h *handle) passStarted(n *notifier, pidfd int) error {
	if n == nil {
		return nil
	}
	if err := flock(h.dir, unix.LOCK_UN); err != nil {
		return fmt.Errorf("cannot unlock container %q: %w", h.ID, err)
	}
	h.store.passDetached(n, pidfd, h.Pid)
	return nil
}

// passDetached passes the notification on for a caller that ends then. The container runs by now whatever fails.
func (s *Store) passDetached(n *notifier, pidfd, pid int) {
	if n == nil {
		return
	}
	told, err := n.pass(pidfd, pid)
	if told {
		err = n.barrier()
	}
	if err != nil {
		s.warn("the container's notification", err)
	}
}

// passBeside passes it on while this process attends the container, which makes it the service's main process.
// The function it returns waits until there is nothing more to tell.
func (s *Store) passBeside(n *notifier, pidfd int) (finish func()) {
	if n == nil {
		return func() {}
	}
	own, err := unix.FcntlInt(uintptr(pidfd), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		s.warn("the container's notification", err)
		return func() {}
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer unix.Close(own)
		if _, err := n.pass(own, os.Getpid()); err != nil {
			s.warn("the container's notification", err)
		}
	}()
	return func() { <-done }
}
