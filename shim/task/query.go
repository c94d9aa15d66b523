package task

import (
	"context"
	"os"

	"github.com/dhow-containers/dhow/runtime/cgroup"
	"github.com/dhow-containers/dhow/shim/api"
	"github.com/dhow-containers/dhow/shim/metrics"
	"github.com/dhow-containers/dhow/shim/wire"
)

// Version is the version of this shim.
const Version = "0.1.0"

// state describes a process.
func (s *Service) state(_ context.Context, r *api.Target) (wire.Message, error) {
	p, err := s.process(r)
	if err != nil {
		return nil, err
	}
	t := p.task
	t.mu.Lock()
	defer t.mu.Unlock()
	status := p.status
	if t.paused && status == api.Running {
		status = api.Paused
	}
	return &api.StateResponse{Target: api.Target{ID: t.id, ExecID: p.id}, Bundle: t.bundle, Pid: uint32(p.pid), Status: status,
		Stdio: p.stdio, Exit: p.exit}, nil
}

// wait returns when a process has ended.
func (s *Service) wait(ctx context.Context, r *api.Target) (wire.Message, error) {
	p, err := s.process(r)
	if err != nil {
		return nil, err
	}
	select {
	case <-p.exited:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	_, _, exit := p.look()
	return &api.WaitResponse{Exit: exit}, nil
}

// pids lists the processes of a container.
func (s *Service) pids(_ context.Context, r *api.Target) (wire.Message, error) {
	t, err := s.task(r.ID)
	if err != nil {
		return nil, err
	}
	pids, err := t.runtime.Processes(r.ID)
	if err != nil {
		return nil, err
	}
	execs := map[int]string{}
	t.mu.Lock()
	defer t.mu.Unlock()
	for id, p := range t.execs {
		if p.pid != 0 && !p.ended {
			execs[p.pid] = id
		}
	}
	return &api.PidsResponse{Pids: pids, Execs: execs}, nil
}

// stats reads a container's statistics.
func (s *Service) stats(_ context.Context, r *api.Target) (wire.Message, error) {
	t, err := s.task(r.ID)
	if err != nil {
		return nil, err
	}
	stats, err := t.runtime.Stats(r.ID)
	if err != nil {
		return nil, err
	}
	host, err := cgroup.Detect()
	if err != nil {
		return nil, err
	}
	if host.Mode == cgroup.Unified {
		return &api.StatsResponse{Stats: metrics.V2(stats.Stats)}, nil
	}
	return &api.StatsResponse{Stats: metrics.V1(stats.Stats)}, nil
}

// connect tells who is here. A container that is not known is no error.
func (s *Service) connect(_ context.Context, r *api.Target) (wire.Message, error) {
	answer := &api.ConnectResponse{ShimPid: uint32(os.Getpid()), Version: Version}
	if t, err := s.task(r.ID); err == nil {
		pid, _, _ := t.init.look()
		answer.TaskPid = uint32(pid)
	}
	return answer, nil
}
