package container

import (
	"errors"
	"fmt"
	"time"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/runtime/cgroup"
	"github.com/dhow-containers/dhow/runtime/resctrl"
)

// Stats are a container's statistics.
type Stats struct {
	*cgroup.Stats
	IntelRdt *resctrl.Stats // nil without linux.intelRdt
}

// Stats reads the statistics of a container that has not stopped.
func (s *Store) Stats(id string) (*Stats, error) {
	h, err := s.open(id)
	if err != nil {
		return nil, err
	}
	defer h.close()
	if err := h.mustLive("read the statistics of"); err != nil {
		return nil, err
	}
	return h.stats(cgroup.Open(h.Cgroups))
}

func (h *handle) stats(g *cgroup.Group) (*Stats, error) {
	counted, err := g.Stats()
	s := &Stats{Stats: counted}
	if err == nil && h.Rdt != nil {
		s.IntelRdt, err = h.Rdt.Stats()
	}
	if err != nil {
		return nil, err
	}
	return s, nil
}

// mustLive refuses a container without a process. One without a control group has statistics too, of zeros, as in runc:
// what watches all containers need not know which of them have one.
func (h *handle) mustLive(verb string) error {
	switch status := h.status(); status {
	case specs.StateStopped, specs.StateCreating:
		return errConflict("cannot %s container %q: container not running: it is %s", verb, h.ID, status)
	}
	if len(h.Cgroups) == 0 {
		h.store.debug("no control group, no statistics", "id", h.ID)
	}
	return nil
}

// Event is what Events reports.
type Event struct {
	Stats *Stats // nil: the kernel ran out of memory for the container and killed
}

// Events reports the statistics at every interval, and each time that the kernel's OOM killer was at work,
// until the container's init has ended or report returns an error. Statistics that cannot be read are left
// out, with a warning.
func (s *Store) Events(id string, interval time.Duration, report func(Event) error) error {
	h, err := s.open(id)
	if err != nil {
		return err
	}
	defer h.close()
	if err := h.mustLive("watch"); err != nil {
		return err
	}
	pidfd, err := h.pidfd()
	if err != nil {
		return errConflict("cannot watch container %q: container not running: %w", id, err)
	}
	defer unix.Close(pidfd)
	w := &eventLoop{handle: h, group: cgroup.Open(h.Cgroups), interval: interval, report: report}
	w.fds[0] = unix.PollFd{Fd: int32(pidfd), Events: unix.POLLIN}
	if err := w.watchOOM(); err != nil {
		return err
	}
	defer w.unwatch()
	return w.run()
}

// eventLoop waits for the end of the init, OOM kills and the time of the next statistics, all in one poll(2).
type eventLoop struct {
	*handle
	group    *cgroup.Group
	interval time.Duration
	report   func(Event) error
	oom      *cgroup.OOMWatch // nil: there is nothing to watch
	fds      [2]unix.PollFd   // the init's pidfd, and that of oom
}

func (w *eventLoop) watchOOM() (err error) {
	w.fds[1].Fd = -1
	var missing interface{ NotImplemented() }
	if w.oom, err = w.group.WatchOOM(); errors.As(err, &missing) {
		w.store.warn("no OOM events", err)
		return nil
	}
	if err != nil {
		return fmt.Errorf("cannot watch container %q: %w", w.ID, err)
	}
	w.fds[1] = w.oom.Poll()
	return nil
}

// unwatch stops looking at a group that is gone, or at the end.
func (w *eventLoop) unwatch() {
	if w.oom != nil {
		w.oom.Close()
		w.oom, w.fds[1] = nil, unix.PollFd{Fd: -1}
	}
}

func (w *eventLoop) run() error {
	next := time.Now().Add(w.interval)
	for {
		if err := w.wait(time.Until(next)); err != nil {
			return fmt.Errorf("cannot watch container %q: %w", w.ID, err)
		}
		ended := w.fds[0].Revents != 0
		// The init's end may be the work of the OOM killer.
		if ended || w.fds[1].Revents != 0 {
			if err := w.reportOOM(); err != nil {
				return err
			}
		}
		if ended {
			return nil
		}
		if now := time.Now(); !now.Before(next) {
			next = now.Add(w.interval - now.Sub(next)%w.interval) // those that were missed are left out
			if err := w.reportStats(); err != nil {
				return err
			}
		}
	}
}

// wait waits for an event, at most for d.
func (w *eventLoop) wait(d time.Duration) error {
	timeout := unix.NsecToTimespec(max(d, 0).Nanoseconds())
	w.fds[0].Revents, w.fds[1].Revents = 0, 0
	if _, err := unix.Ppoll(w.fds[:], &timeout, nil); err != nil && err != unix.EINTR {
		return err
	}
	return nil
}

func (w *eventLoop) reportOOM() error {
	if w.oom == nil {
		return nil
	}
	happened, err := w.oom.Happened()
	if err != nil { // the group is gone; the init's end is still to come
		w.store.debug("no more OOM events", "error", err)
		w.unwatch()
		return nil
	}
	if !happened {
		return nil
	}
	return w.report(Event{})
}

func (w *eventLoop) reportStats() error {
	stats, err := w.stats(w.group)
	if err != nil {
		w.store.warn("statistics left out", err)
		return nil
	}
	return w.report(Event{Stats: stats})
}
