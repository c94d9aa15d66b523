package task

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/shim/api"
	"github.com/dhow-containers/dhow/shim/ttrpc"
	"github.com/dhow-containers/dhow/shim/wire"
)

// sandbox is what the shim's containers belong to, if containerd 2.x made it with its controller "shim": the first
// container, of the bundle that the shim was started in. A client that adds others (WithSandbox) has containerd talk to this
// shim without a call of `start` or `delete`.
type sandbox struct {
	id      string // "": there is none
	created time.Time
}

// The states of a sandbox, as CRI names them.
const (
	sandboxReady    = "SANDBOX_READY"
	sandboxNotReady = "SANDBOX_NOTREADY"
)

func (s *Service) registerSandbox(server *ttrpc.Server) {
	server.Register("containerd.runtime.sandbox.v1.Sandbox", map[string]ttrpc.Method{
		"CreateSandbox": call(s.createSandbox), "StartSandbox": call(s.startSandbox), "Platform": call(s.platform),
		"StopSandbox": call(s.stopSandbox), "WaitSandbox": call(s.waitSandbox), "SandboxStatus": call(s.sandboxStatus),
		"PingSandbox": call(s.pingSandbox), "ShutdownSandbox": call(s.shutdownSandbox), "SandboxMetrics": call(s.sandboxMetrics),
	})
}

// createSandbox creates the sandbox's own container, whose config the client has given (WithSandboxSpec). What CRI would
// have made here, a pod without a config, takes files and namespaces that its controller "podsandbox" makes.
func (s *Service) createSandbox(ctx context.Context, r *api.CreateSandboxRequest) (wire.Message, error) {
	if r.Options != nil && r.Options.URL != "" || r.NetNS != "" {
		return nil, ttrpc.Errorf(ttrpc.Unimplemented, "cannot create sandbox %s of a pod: pods need the controller podsandbox (sandboxer)", r.ID)
	}
	if _, err := os.Stat(filepath.Join(r.Bundle, "config.json")); err != nil {
		return nil, ttrpc.Errorf(ttrpc.InvalidArgument, "cannot create sandbox %s: it has no config: %v", r.ID, err)
	}
	options, err := readOptions(r.Bundle)
	if err != nil {
		return nil, err
	}
	if !s.claimSandbox(r.ID) {
		return nil, ttrpc.Errorf(ttrpc.AlreadyExists, "sandbox %s: already exists", r.ID)
	}
	_, err = s.create(ctx, &api.CreateRequest{ID: r.ID, Bundle: r.Bundle, Rootfs: r.Rootfs, Options: wire.Pack(api.OptionsType, options)})
	if err != nil {
		s.mu.Lock()
		s.sandbox = sandbox{}
		s.mu.Unlock()
	}
	return nil, err
}

func (s *Service) claimSandbox(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sandbox.id != "" {
		return false
	}
	s.sandbox = sandbox{id, time.Now()}
	return true
}

// sandboxProcess finds the init of the sandbox's own container.
func (s *Service) sandboxProcess(id string) (*process, time.Time, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.tasks[id]
	if id == "" || s.sandbox.id != id || t == nil {
		return nil, time.Time{}, ttrpc.Errorf(ttrpc.NotFound, "sandbox not created: %s", id)
	}
	return t.init, s.sandbox.created, nil
}

func (s *Service) startSandbox(ctx context.Context, r *api.SandboxRequest) (wire.Message, error) {
	p, created, err := s.sandboxProcess(r.ID)
	if err != nil {
		return nil, err
	}
	if _, err := s.start(ctx, &api.Target{ID: r.ID}); err != nil {
		return nil, err
	}
	pid, _, _ := p.look()
	return &api.StartSandboxResponse{Pid: uint32(pid), Created: created}, nil
}

// platform is that of the containers: this one.
func (s *Service) platform(context.Context, *api.SandboxRequest) (wire.Message, error) {
	return &api.PlatformResponse{OS: runtime.GOOS, Architecture: runtime.GOARCH}, nil
}

// stopSandbox ends the sandbox's own container, which has some time for it, and with it all others.
func (s *Service) stopSandbox(ctx context.Context, r *api.SandboxRequest) (wire.Message, error) {
	p, _, err := s.sandboxProcess(r.ID)
	if err != nil {
		return nil, err
	}
	if r.Timeout > 0 {
		_, _ = s.kill(ctx, killAll(r.ID, unix.SIGTERM)) // it may be over
		select {
		case <-p.exited:
		case <-time.After(time.Duration(r.Timeout) * time.Second):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return nil, s.killTasks(ctx)
}

func killAll(id string, sig unix.Signal) *api.KillRequest {
	return &api.KillRequest{Target: api.Target{ID: id}, Signal: uint32(sig), All: sig == unix.SIGKILL}
}

// killTasks ends all containers, and waits for that.
func (s *Service) killTasks(ctx context.Context) error {
	for _, t := range s.all() {
		if pid, status, _ := t.init.look(); pid != 0 && status != api.Stopped {
			_, _ = s.kill(ctx, killAll(t.id, unix.SIGKILL)) // it may be over by now
		}
	}
	for _, t := range s.all() {
		if pid, _, _ := t.init.look(); pid == 0 { // not restored yet
			continue
		}
		select {
		case <-t.init.exited:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// all are the containers that there are now.
func (s *Service) all() (list []*task) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range s.tasks {
		if t != nil {
			list = append(list, t)
		}
	}
	return list
}

func (s *Service) waitSandbox(ctx context.Context, r *api.SandboxRequest) (wire.Message, error) {
	if _, _, err := s.sandboxProcess(r.ID); err != nil {
		return nil, err
	}
	return s.wait(ctx, &api.Target{ID: r.ID})
}

func (s *Service) sandboxStatus(_ context.Context, r *api.SandboxRequest) (wire.Message, error) {
	p, created, err := s.sandboxProcess(r.ID)
	if err != nil {
		return nil, err
	}
	pid, status, exit := p.look()
	answer := &api.SandboxStatusResponse{ID: r.ID, Pid: uint32(pid), State: sandboxNotReady, Created: created, Exited: exit.At}
	if status == api.Running {
		answer.State = sandboxReady
	}
	return answer, nil
}

func (s *Service) pingSandbox(_ context.Context, r *api.SandboxRequest) (wire.Message, error) {
	_, _, err := s.sandboxProcess(r.ID)
	return nil, err
}

// shutdownSandbox ends the shim, and all that is in it. containerd calls it also where the sandbox did not come about.
func (s *Service) shutdownSandbox(ctx context.Context, _ *api.SandboxRequest) (wire.Message, error) {
	if err := s.killTasks(ctx); err != nil {
		return nil, err
	}
	for _, t := range s.all() {
		if _, err := s.delete(ctx, &api.Target{ID: t.id}); err != nil {
			return nil, err
		}
	}
	s.shutdown()
	return nil, nil
}

func (s *Service) sandboxMetrics(ctx context.Context, r *api.SandboxRequest) (wire.Message, error) {
	if _, _, err := s.sandboxProcess(r.ID); err != nil {
		return nil, err
	}
	stats, err := s.stats(ctx, &api.Target{ID: r.ID})
	if err != nil {
		return nil, err
	}
	return &api.SandboxMetricsResponse{ID: r.ID, At: time.Now(), Stats: stats.(*api.StatsResponse).Stats}, nil
}
