package container

import (
	"errors"
	"fmt"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/runtime/launch"
	"github.com/dhow-containers/dhow/runtime/plan"
	"github.com/dhow-containers/dhow/spec"
)

// Start lets the process of a created container run. It connects to the socket that the container's
// init waits on, answers what the init asks, and returns when it has executed the user's program and the
// poststart hooks have run. When a hook or a step fails, nothing of the container is alive: what is left of
// its life (runtime.md, "Lifecycle", from step 12) is for Delete.
func (s *Store) Start(id string) error {
	h, err := s.open(id)
	if err != nil {
		return err
	}
	defer h.close()
	if err := h.lock(); err != nil {
		return err
	}
	switch status := h.status(); status {
	case specs.StateCreated:
	case specs.StateStopped:
		return errConflict("cannot start a container that has stopped: %q", id)
	default:
		return errConflict("cannot start an already running container: %q is %s", id, status)
	}
	doc, err := h.config()
	if err != nil {
		return err
	}
	notifier, err := h.listenNotify()
	if err != nil {
		return err
	}
	defer notifier.close()
	pidfd := -1
	if notifier != nil {
		if pidfd, err = h.pidfd(); err != nil {
			return errConflict("cannot start a container that has stopped: %q", id)
		}
		defer unix.Close(pidfd)
	}
	if err := h.release(doc); err != nil {
		return err
	}
	if err := h.startedHooks(doc.Spec); err != nil {
		return errors.Join(err, h.end())
	}
	return h.passStarted(notifier, pidfd)
}

// release serves the init from its wait to its execve.
func (h *handle) release(doc *spec.Document) error {
	text, err := readFile(h.dir, "steps")
	if err != nil {
		return fmt.Errorf("cannot start container %q: %w", h.ID, err)
	}
	steps, agent := parseSteps(text), agent(-1)
	if steps.handOverListener() {
		if err := doc.DecodeSeccomp(); err != nil {
			return err
		}
		if agent, err = connectAgent(doc.Spec.Linux.Seccomp.ListenerPath); err != nil {
			return err
		}
		defer agent.close()
	}
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("cannot start container %q: %w", h.ID, err)
	}
	if err = unix.Connect(fd, &unix.SockaddrUnix{Name: h.path("start.sock")}); err != nil {
		unix.Close(fd)
		return fmt.Errorf("cannot start container %q: its process does not answer: %w", h.ID, err)
	}
	peer := launch.NewPeer(fd, steps)
	defer peer.Close()
	peer.Explain = stepExplainer(doc.Spec, h.Rootfs, func() int { return h.Pid })
	failpoint("start")
	end := h.store.span("follow the program", "pid", h.Pid)
	err = peer.Serve(func(r *launch.Request) (uint64, bool, error) {
		switch r.Code {
		case plan.StartHooks:
			return 0, false, h.startHooks(doc)
		case plan.SeccompListener:
			return 0, false, agent.listener(r, doc.Spec, h.Pid, h.hookState(specs.StateCreated, doc.Spec, h.Pid))
		}
		return 0, false, fmt.Errorf("internal error: %s", r.Code)
	})
	end(err)
	unix.Unlinkat(h.dir, "start.sock", 0)
	if err != nil { // the init gives up by itself, in its own time
		err = errors.Join(err, h.end())
	}
	return err
}

// startHooks runs the startContainer hooks for an init that waits.
func (h *handle) startHooks(doc *spec.Document) error {
	pidfd, err := h.pidfd()
	if err != nil {
		return fmt.Errorf("cannot run hooks.startContainer: %w", err)
	}
	defer unix.Close(pidfd)
	return h.hooksInside(doc, specs.StateCreated, "startContainer", doc.Spec.Hooks.StartContainer, h.Pid, pidfd)
}
