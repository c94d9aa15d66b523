package task

import (
	"os"
	"os/signal"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/runtime/launch"
	"github.com/dhow-containers/dhow/shim/api"
)

// Reaper waits for all children: the processes of containers, and orphans that the kernel has handed over.
//
// The runtime has children of its own while it works, and waits for these by pid. So orphans are left alone
// meanwhile (hold, release).
type Reaper struct {
	signals chan os.Signal

	mu      sync.Mutex
	watched map[int]func(api.Exit)
	holders int
}

// NewReaper makes this process the subreaper of all below it, and begins to reap.
func NewReaper() (*Reaper, error) {
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return nil, os.NewSyscallError("prctl", err)
	}
	r := &Reaper{signals: make(chan os.Signal, 1), watched: map[int]func(api.Exit){}}
	signal.Notify(r.signals, unix.SIGCHLD)
	go func() {
		for range r.signals {
			r.mu.Lock()
			r.sweep()
			r.mu.Unlock()
		}
	}()
	return r, nil
}

// hold leaves unknown children to others until release.
func (r *Reaper) hold() {
	r.mu.Lock()
	r.holders++
	r.mu.Unlock()
}

func (r *Reaper) release() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.holders--; r.holders == 0 {
		r.sweep()
	}
}

// watch has exited called, in a goroutine of its own, when the child pid has ended. The reaper is held by the caller.
func (r *Reaper) watch(pid int, exited func(api.Exit)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.watched[pid] = exited
	r.try(pid)
}

// sweep takes all who have ended.
func (r *Reaper) sweep() {
	if r.holders > 0 {
		for pid := range r.watched {
			r.try(pid)
		}
		return
	}
	for r.try(-1) {
	}
}

// try takes one who has ended.
func (r *Reaper) try(pid int) bool {
	var ws unix.WaitStatus
	for {
		got, err := unix.Wait4(pid, &ws, unix.WNOHANG, nil)
		if err == unix.EINTR {
			continue
		}
		if err != nil || got <= 0 {
			return false
		}
		if exited := r.watched[got]; exited != nil {
			delete(r.watched, got)
			go exited(api.Exit{Status: uint32(launch.ExitCode(ws)), At: time.Now()})
		}
		return true
	}
}

// kill sends a signal to a watched child. Its pid cannot be another's: it has not been waited for.
func (r *Reaper) kill(pid int, sig unix.Signal) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.watched[pid] == nil {
		return unix.ESRCH
	}
	return unix.Kill(pid, sig)
}
