package task

import (
	"context"
	"errors"
	"os"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/runtime/cgroup"
	"github.com/dhow-containers/dhow/shim/api"
	"github.com/dhow-containers/dhow/shim/wire"
)

// oomWatch reports the OOM kills of one container.
type oomWatch struct {
	group  *cgroup.OOMWatch
	poll   *os.File // epoll, which Go's own poller waits for: no thread stands still for it
	report func()

	mu sync.Mutex // one reader of group at a time
}

// watchOOM begins to watch a container, if its control groups can tell.
func (s *Service) watchOOM(t *task) *oomWatch {
	group, err := t.runtime.WatchOOM(t.id)
	var missing interface{ NotImplemented() }
	if errors.As(err, &missing) {
		return nil
	}
	if err != nil {
		s.warn("no OOM events", err)
		return nil
	}
	w := &oomWatch{group: group, report: func() {
		t.countOOM()
		s.events.Publish(api.TaskOOM(t.id))
	}}
	if w.poll, err = newPoll(group.Poll()); err != nil {
		group.Close()
		s.warn("no OOM events", err)
		return nil
	}
	go w.run()
	return w
}

func (t *task) countOOM() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.kills++
	close(t.killed)
	t.killed = make(chan struct{})
}

// oomKills says how many OOM kills there were, and what is closed with the next.
func (t *task) oomKills() (uint32, chan struct{}) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.kills, t.killed
}

// awaitOOM returns when there were more OOM kills than the client has seen, or none can come any more.
func (s *Service) awaitOOM(ctx context.Context, r *api.OOMRequest) (wire.Message, error) {
	t, err := s.task(r.ID)
	if err != nil {
		return nil, err
	}
	for {
		count, next := t.oomKills()
		if count > r.Seen || r.Now {
			return &api.OOMResponse{Count: count}, nil
		}
		select {
		case <-next:
		case <-t.init.exited:
			count, _ := t.oomKills()
			return &api.OOMResponse{Count: count}, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func newPoll(fd unix.PollFd) (*os.File, error) {
	ep, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("epoll_create1", err)
	}
	event := &unix.EpollEvent{Events: uint32(fd.Events) | unix.EPOLLET, Fd: fd.Fd}
	if err := unix.EpollCtl(ep, unix.EPOLL_CTL_ADD, int(fd.Fd), event); err != nil {
		unix.Close(ep)
		return nil, os.NewSyscallError("epoll_ctl", err)
	}
	if err := unix.SetNonblock(ep, true); err != nil {
		unix.Close(ep)
		return nil, os.NewSyscallError("fcntl", err)
	}
	return os.NewFile(uintptr(ep), "epoll"), nil
}

// run looks each time that the kernel has something to say.
func (w *oomWatch) run() {
	raw, err := w.poll.SyscallConn()
	if err != nil {
		return
	}
	events := make([]unix.EpollEvent, 1)
	for {
		err := raw.Read(func(fd uintptr) bool {
			n, err := unix.EpollWait(int(fd), events, 0)
			return n > 0 || err != nil && err != unix.EINTR
		})
		if err != nil || !w.look() {
			return
		}
	}
}

// look reports a kill, if there was one, and says whether there is anything left to watch.
func (w *oomWatch) look() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.group == nil {
		return false
	}
	happened, err := w.group.Happened()
	if happened {
		w.report()
	}
	return err == nil
}

// stop looks a last time: the end of the init may be the OOM killer's work.
func (w *oomWatch) stop() {
	if w == nil {
		return
	}
	w.look()
	w.poll.Close()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.group.Close()
	w.group = nil
}
