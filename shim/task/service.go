package task

import (
	"context"
	"log/slog"
	"sync"

	"github.com/dhow-containers/dhow/shim/api"
	"github.com/dhow-containers/dhow/shim/ttrpc"
	"github.com/dhow-containers/dhow/shim/wire"
)

// Publisher takes events, in order.
type Publisher interface {
	Publish(api.Event)
}

// Service has the containers of one shim.
type Service struct {
	namespace string
	events    Publisher
	log       *slog.Logger
	shutdown  func()
	reaper    *Reaper
	rest      *rest

	mu      sync.Mutex
	tasks   map[string]*task // nil while it is being created
	sandbox sandbox
}

// New makes the service; shutdown is called when containerd has no more use for it.
func New(namespace string, r *Reaper, events Publisher, log *slog.Logger, shutdown func()) *Service {
	return &Service{namespace: namespace, events: events, log: log, shutdown: shutdown, reaper: r, rest: newRest(), tasks: map[string]*task{}}
}

// Register offers the service to containerd 1.x (version 2) and 2.x (version 3), with the same messages.
func (s *Service) Register(server *ttrpc.Server) {
	methods := map[string]ttrpc.Method{
		"State": call(s.state), "Create": call(s.create), "Start": call(s.start), "Delete": call(s.delete),
		"Pids": call(s.pids), "Pause": call(s.pause), "Resume": call(s.resume), "Checkpoint": call(s.checkpoint),
		"Kill": call(s.kill), "Exec": call(s.exec), "ResizePty": call(s.resize), "CloseIO": call(s.closeIO),
		"Update": call(s.update), "Wait": call(s.wait), "Stats": call(s.stats), "Connect": call(s.connect),
		"Shutdown": call(s.stop),
	}
	server.Register("containerd.task.v2.Task", methods)
	server.Register("containerd.task.v3.Task", methods)
	server.Register(api.EngineService, map[string]ttrpc.Method{"OOM": call(s.awaitOOM)})
	s.registerSandbox(server)
}

// call makes a method of a function.
func call[T any, R interface {
	*T
	wire.Receiver
}](f func(context.Context, R) (wire.Message, error)) ttrpc.Method {
	return func(ctx context.Context, payload []byte) (wire.Message, error) {
		r := R(new(T))
		if err := wire.Unmarshal(payload, r); err != nil {
			return nil, ttrpc.Errorf(ttrpc.InvalidArgument, "cannot read the request: %v", err)
		}
		return f(ctx, r)
	}
}

// task finds a container.
func (s *Service) task(id string) (*task, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if t := s.tasks[id]; t != nil {
		return t, nil
	}
	return nil, ttrpc.Errorf(ttrpc.NotFound, "container not created: %s", id)
}

// process finds a process of a container.
func (s *Service) process(r *api.Target) (*process, error) {
	t, err := s.task(r.ID)
	if err != nil {
		return nil, err
	}
	if r.ExecID == "" {
		return t.init, nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if p := t.execs[r.ExecID]; p != nil {
		return p, nil
	}
	return nil, ttrpc.Errorf(ttrpc.NotFound, "process does not exist %s", r.ExecID)
}

// reserve takes an id for a container that is being created.
func (s *Service) reserve(id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, taken := s.tasks[id]; taken {
		return ttrpc.Errorf(ttrpc.AlreadyExists, "task %s: already exists", id)
	}
	s.tasks[id] = nil
	return nil
}

func (s *Service) put(t *task) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tasks[t.id] = t
}

func (s *Service) remove(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.tasks, id)
}

// stop ends the shim, unless it has containers.
func (s *Service) stop(_ context.Context, r *api.ShutdownRequest) (wire.Message, error) {
	s.mu.Lock()
	left := len(s.tasks)
	s.mu.Unlock()
	if left == 0 {
		s.shutdown()
	}
	return nil, nil
}
