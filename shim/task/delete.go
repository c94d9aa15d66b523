package task

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/shim/api"
	"github.com/dhow-containers/dhow/shim/mount"
	"github.com/dhow-containers/dhow/shim/ttrpc"
	"github.com/dhow-containers/dhow/shim/wire"
)

// delete removes a process that has stopped; with the init, the container.
func (s *Service) delete(_ context.Context, r *api.Target) (wire.Message, error) {
	p, err := s.process(r)
	if err != nil {
		return nil, err
	}
	p.op.Lock()
	defer p.op.Unlock()
	pid, status, exit := p.look()
	if status != api.Stopped && (status != api.Created || pid != 0) {
		return nil, ttrpc.Errorf(ttrpc.FailedPrecondition, "cannot delete a running process: %s", p.eventID())
	}
	if p.id == "" {
		err = s.deleteTask(p.task, exit)
	} else {
		p.deleteExec()
	}
	if err != nil {
		return nil, err
	}
	p.end(exit, api.Stopped) // for who waits for what never began
	return &api.DeleteResponse{Pid: uint32(pid), Exit: exit}, nil
}

func (s *Service) deleteTask(t *task, exit api.Exit) error {
	s.reaper.hold()
	err := t.runtime.Delete(t.id, false)
	s.reaper.release()
	if err != nil && !isNotFound(err) {
		return err
	}
	t.closeDoor()
	t.init.streams.Close()
	if err := mount.Unmount(rootfsOf(t.bundle)); err != nil {
		return err
	}
	s.remove(t.id)
	s.events.Publish(&api.TaskDelete{ContainerID: t.id, Pid: uint32(t.init.pid), Exit: exit})
	return nil
}

// discard lets go of the streams, if there are any yet.
func (p *process) discard() {
	if streams := p.open(); streams != nil {
		streams.Close()
	}
}

func (p *process) deleteExec() {
	p.discard()
	p.task.mu.Lock()
	defer p.task.mu.Unlock()
	delete(p.task.execs, p.id)
}

func isNotFound(err error) bool {
	var missing interface{ NotFound() }
	return errors.As(err, &missing)
}

// killed is the exit status of a container whose shim cannot be asked.
const killed = 128 + uint32(unix.SIGKILL)

// Clean removes a container without its shim, which is gone: all that is left in any state. It may be called again.
func Clean(namespace, id, bundle string) (*api.DeleteResponse, error) {
	o, err := readOptions(bundle)
	if err != nil {
		return nil, err
	}
	return clean(o, namespace, id, bundle)
}

// CleanWith is Clean for a client that knows the options, save those that are the container's own.
func CleanWith(o *api.Options, namespace, id, bundle string) (*api.DeleteResponse, error) {
	kept, err := readOptions(bundle)
	if err != nil {
		return nil, err
	}
	if foreign(kept) {
		o = kept
	}
	return clean(o, namespace, id, bundle)
}

func clean(o *api.Options, namespace, id, bundle string) (*api.DeleteResponse, error) {
	pid, _ := readPid(filepath.Join(bundle, pidFile))
	if err := backendFor(o, namespace, bundle, nil, nil).Delete(id, true); err != nil {
		return nil, err
	}
	if err := mount.Unmount(rootfsOf(bundle)); err != nil {
		return nil, err
	}
	exit, known := readExit(bundle)
	if !known {
		exit = api.Exit{Status: killed, At: time.Now()}
	}
	return &api.DeleteResponse{Pid: uint32(pid), Exit: exit}, nil
}

func readPid(path string) (int, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(strings.TrimSpace(string(text)))
}
