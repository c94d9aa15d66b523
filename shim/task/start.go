package task

import (
	"context"
	"fmt"

	"github.com/dhow-containers/dhow/runtime/container"
	"github.com/dhow-containers/dhow/shim/api"
	"github.com/dhow-containers/dhow/shim/stdio"
	"github.com/dhow-containers/dhow/shim/ttrpc"
	"github.com/dhow-containers/dhow/shim/wire"
	"github.com/dhow-containers/dhow/spec"
)

// start lets a created process run.
func (s *Service) start(ctx context.Context, r *api.Target) (wire.Message, error) {
	p, err := s.process(r)
	if err != nil {
		return nil, err
	}
	p.op.Lock()
	defer p.op.Unlock()
	s.rest.disturb()
	if p.id == "" {
		err = s.startInit(p)
	} else {
		err = s.startExec(ctx, p)
	}
	if err != nil {
		return nil, err
	}
	pid, _, _ := p.look()
	return &api.PidResponse{Pid: uint32(pid)}, nil
}

func (s *Service) startInit(p *process) error {
	t := p.task
	s.reaper.hold()
	defer s.reaper.release()
	switch {
	case t.saved == nil:
		if err := t.runtime.Start(t.id); err != nil {
			return fmt.Errorf("OCI runtime start failed: %w", err)
		}
		p.born(p.pid, api.Running)
	case p.started:
		return ttrpc.Errorf(ttrpc.FailedPrecondition, "cannot start a container that was restored before: %s", t.id)
	default:
		if err := s.restore(t); err != nil {
			return fmt.Errorf("OCI runtime restore failed: %w", err)
		}
	}
	p.started = true
	s.warn("no input", p.streams.Begin())
	s.events.Publish(api.TaskStart(t.id, uint32(p.pid)))
	return nil
}

// exec makes a further process of a container known; start makes it run.
func (s *Service) exec(ctx context.Context, r *api.ExecRequest) (wire.Message, error) {
	t, err := s.task(r.ID)
	if err != nil {
		return nil, err
	}
	if r.ExecID == "" {
		return nil, ttrpc.Errorf(ttrpc.InvalidArgument, "cannot exec in container %s: the exec has no id", r.ID)
	}
	if pid, _, _ := t.init.look(); pid == 0 {
		return nil, ttrpc.Errorf(ttrpc.FailedPrecondition, "cannot exec in container %s: it is not restored before its start", r.ID)
	}
	p := t.newProcess(r.ExecID, r.Stdio)
	if p.spec, err = spec.DecodeProcess(r.Spec.Value); err != nil {
		return nil, ttrpc.Errorf(ttrpc.InvalidArgument, "cannot read the process of exec %s: %v", r.ExecID, err)
	}
	p.spec.Terminal = r.Stdio.Terminal
	if stdio.IsServed(r.Stdio.Stdout) { // clients come before the start
		if err := s.openStreams(ctx, p, t.options); err != nil {
			return nil, err
		}
	}
	t.mu.Lock()
	_, taken := t.execs[r.ExecID]
	if !taken {
		t.execs[r.ExecID] = p
	}
	t.mu.Unlock()
	if taken {
		p.discard()
		return nil, ttrpc.Errorf(ttrpc.AlreadyExists, "id %s: already exists", r.ExecID)
	}
	s.events.Publish(api.TaskExecAdded(t.id, p.id))
	return nil, nil
}

func (s *Service) startExec(ctx context.Context, p *process) error {
	t := p.task
	if p.started {
		return ttrpc.Errorf(ttrpc.FailedPrecondition, "cannot start a process that was started before: %s", p.id)
	}
	if !t.begin() {
		return ttrpc.Errorf(ttrpc.FailedPrecondition, "container %s init process is not running", t.id)
	}
	p.started = true
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(t.life, cancel)() // nobody need wait for a client any more
	if err := s.launchExec(ctx, p); err != nil {
		t.finish()
		p.end(api.Exit{}, api.Created)
		return fmt.Errorf("OCI runtime exec failed: %w", err)
	}
	return nil
}

func (s *Service) launchExec(ctx context.Context, p *process) error {
	t := p.task
	if p.open() == nil {
		if err := s.openStreams(ctx, p, t.options); err != nil {
			return err
		}
	}
	s.reaper.hold()
	defer s.reaper.release()
	made, err := t.runtime.StartExec(t.id, container.ExecOptions{Process: p.spec, Stdio: p.streams.Child()})
	if err != nil {
		p.streams.Tell(fmt.Sprintf("OCI runtime exec failed: %v\r\n", err)) // as Docker tells its clients
		p.streams.Close()
		return err
	}
	p.born(made.Pid, api.Running)
	s.warn("cannot serve a terminal", p.streams.Started(made.Terminal))
	s.warn("no input", p.streams.Begin())
	s.events.Publish(api.TaskExecStarted(t.id, p.id, uint32(made.Pid)))
	s.reaper.watch(made.Pid, func(exit api.Exit) { s.execExited(p, exit) })
	return nil
}
