package task

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/containerd/errdefs"
	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/shim/api"
	"github.com/dhow-containers/dhow/shim/task"
)

// answerLimit is how long a shim may take to say what it has.
const answerLimit = 10 * time.Second

// Load finds a task whose shim still runs; ErrNotFound when there is none. A shim that has no container, because the
// daemon was killed while it created one, is ended, and counts as none.
func (m *Manager) Load(ctx context.Context, id, bundle string) (*Task, error) {
	ctx, cancel := context.WithTimeout(ctx, answerLimit)
	defer cancel()
	t, err := m.connect(id, bundle)
	if err != nil {
		return nil, err
	}
	var state api.StateResponse
	err = t.call(ctx, "State", &api.Target{ID: id}, &state)
	if errdefs.IsUnavailable(err) { // it is just ending
		err = noShim(id)
	} else if errdefs.IsNotFound(err) {
		err = t.endShim(ctx)
		if err == nil {
			err = errdefs.ErrNotFound.WithMessage(fmt.Sprintf("container %s was not created", id))
		}
	}
	if err != nil {
		t.conn.Close()
		return nil, err
	}
	t.pid.Store(int64(state.Pid))
	t.over = state.Status == api.Stopped
	go t.reapShim()
	return t, nil
}

func noShim(id string) error {
	return errdefs.ErrNotFound.WithMessage(fmt.Sprintf("container %s has no shim", id))
}

// served says whether a container has a shim that answers.
func (m *Manager) served(ctx context.Context, id, bundle string) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, answerLimit)
	defer cancel()
	t, err := m.connect(id, bundle)
	if err == nil {
		defer t.conn.Close()
		err = t.call(ctx, "Connect", &api.Target{ID: id}, &api.ConnectResponse{})
	}
	if errdefs.IsNotFound(err) || errdefs.IsUnavailable(err) {
		return false, nil
	}
	return err == nil, err
}

// endShim kills the shim at the other end of the connection and waits for that.
func (t *Task) endShim(ctx context.Context) error {
	var who api.ConnectResponse
	if err := t.call(ctx, "Connect", &api.Target{ID: t.target.ID}, &who); err != nil {
		if errdefs.IsUnavailable(err) {
			return nil
		}
		return err
	}
	fd, err := unix.PidfdOpen(int(who.ShimPid), 0)
	if err == unix.ESRCH {
		return nil
	}
	if err != nil {
		return os.NewSyscallError("pidfd_open", err)
	}
	defer unix.Close(fd)
	select {
	case <-t.conn.Done(): // the pid may be another's by now
		return nil
	default:
	}
	if err := unix.PidfdSendSignal(fd, unix.SIGKILL, nil, 0); err != nil && err != unix.ESRCH {
		return os.NewSyscallError("pidfd_send_signal", err)
	}
	select {
	case <-t.conn.Done():
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Clean removes what is left of a container whose shim is gone, in any state, and tells how it ended: by SIGKILL unless
// that is known. It may be called again. A shim that is still there is an error (ErrFailedPrecondition).
func (m *Manager) Clean(ctx context.Context, id, bundle string) (Exit, error) {
	there, err := m.served(ctx, id, bundle)
	if err != nil {
		return Exit{}, err
	}
	if there {
		return Exit{}, errdefs.ErrFailedPrecondition.WithMessage(fmt.Sprintf("cannot clean up after container %s: its shim is there", id))
	}
	answer, err := task.CleanWith(m.shimOptions(), m.namespace(), id, bundle)
	if err != nil {
		return Exit{}, err
	}
	return Exit(answer.Exit), remove(bundle, socketFile, api.StreamsSocket, logFile)
}

// remove removes files of a bundle.
func remove(bundle string, names ...string) error {
	for _, name := range names {
		if err := os.Remove(filepath.Join(bundle, name)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return nil
}
