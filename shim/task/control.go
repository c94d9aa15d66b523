package task

import (
	"context"

	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/shim/api"
	"github.com/dhow-containers/dhow/shim/ttrpc"
	"github.com/dhow-containers/dhow/shim/wire"
	"github.com/dhow-containers/dhow/spec"
)

// kill sends a signal to a process, or to all of a container.
func (s *Service) kill(_ context.Context, r *api.KillRequest) (wire.Message, error) {
	p, err := s.process(&r.Target)
	if err != nil {
		return nil, err
	}
	pid, status, _ := p.look()
	switch {
	case status == api.Stopped:
		return nil, finished(p)
	case pid == 0:
		return nil, ttrpc.Errorf(ttrpc.FailedPrecondition, "process not created: %s", p.eventID())
	case p.id == "":
		err = p.task.runtime.Kill(r.ID, unix.Signal(r.Signal), r.All)
		if p.gone(err) {
			err = finished(p)
		}
	default:
		if err = s.reaper.kill(pid, unix.Signal(r.Signal)); err == unix.ESRCH {
			err = finished(p)
		}
	}
	return nil, err
}

// gone says whether an error of kill means that there was nobody to get the signal.
func (p *process) gone(err error) bool {
	if err == nil {
		return false
	}
	info, e := p.task.runtime.State(p.task.id)
	return e != nil || info.Status == "stopped"
}

func finished(p *process) error {
	return ttrpc.Errorf(ttrpc.NotFound, "process already finished: %s", p.eventID())
}

// living finds a container that has an init. One that was saved, or that is yet to be restored, has nothing else either.
func (s *Service) living(id string) (*task, error) {
	t, err := s.task(id)
	if err != nil {
		return nil, err
	}
	switch pid, status, _ := t.init.look(); {
	case pid == 0:
		return nil, ttrpc.Errorf(ttrpc.FailedPrecondition, "container %s is not restored before its start", id)
	case status == api.Stopped:
		return nil, ttrpc.Errorf(ttrpc.FailedPrecondition, "container %s has stopped", id)
	}
	return t, nil
}

// pause stops all processes of a container.
func (s *Service) pause(_ context.Context, r *api.Target) (wire.Message, error) {
	t, err := s.living(r.ID)
	if err != nil {
		return nil, err
	}
	if err := t.runtime.Pause(r.ID); err != nil {
		return nil, err
	}
	t.setPaused(true)
	s.events.Publish(api.TaskPaused(r.ID))
	return nil, nil
}

// resume lets them go on.
func (s *Service) resume(_ context.Context, r *api.Target) (wire.Message, error) {
	t, err := s.living(r.ID)
	if err != nil {
		return nil, err
	}
	if err := t.runtime.Resume(r.ID); err != nil {
		return nil, err
	}
	t.setPaused(false)
	s.events.Publish(api.TaskResumed(r.ID))
	return nil, nil
}

func (t *task) setPaused(paused bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.paused = paused
}

// resize sets the size of a process's terminal.
func (s *Service) resize(_ context.Context, r *api.ResizeRequest) (wire.Message, error) {
	p, err := s.process(&r.Target)
	if err != nil {
		return nil, err
	}
	streams := p.open()
	if streams == nil {
		return nil, nil
	}
	return nil, streams.Resize(r.Width, r.Height)
}

// closeIO ends a process's input.
func (s *Service) closeIO(_ context.Context, r *api.CloseIORequest) (wire.Message, error) {
	p, err := s.process(&r.Target)
	if err != nil {
		return nil, err
	}
	if streams := p.open(); streams != nil && r.Stdin {
		streams.CloseStdin()
	}
	return nil, nil
}

// update changes a container's limits.
func (s *Service) update(_ context.Context, r *api.UpdateRequest) (wire.Message, error) {
	t, err := s.living(r.ID)
	if err != nil {
		return nil, err
	}
	resources, err := spec.DecodeResources(r.Resources.Value)
	if err != nil {
		return nil, ttrpc.Errorf(ttrpc.InvalidArgument, "cannot read the resources: %v", err)
	}
	return nil, t.runtime.Update(r.ID, resources)
}
