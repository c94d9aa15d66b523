package task

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/runtime/container"
	"github.com/dhow-containers/dhow/shim/api"
	"github.com/dhow-containers/dhow/shim/mount"
	"github.com/dhow-containers/dhow/shim/stdio"
	"github.com/dhow-containers/dhow/shim/ttrpc"
	"github.com/dhow-containers/dhow/shim/wire"
)

// create makes a container whose init waits for start. One that is restored from a checkpoint has no init before that.
func (s *Service) create(ctx context.Context, r *api.CreateRequest) (_ wire.Message, err error) {
	options, err := api.DecodeOptions(r.Options)
	if err == nil {
		err = check(options)
	}
	if err != nil {
		return nil, ttrpc.Errorf(ttrpc.InvalidArgument, "%v", err)
	}
	if err := s.reserve(r.ID); err != nil {
		return nil, err
	}
	s.rest.disturb()
	t := newTask(r.ID, r.Bundle)
	t.options, t.runtime, t.init = options, s.backend(options, r.Bundle), t.newProcess("", r.Stdio)
	t.saved = savedBy(r, options)
	if err := s.assemble(ctx, t, r); err != nil {
		s.remove(r.ID)
		return nil, err
	}
	return &api.PidResponse{Pid: uint32(t.init.pid)}, nil
}

// assemble puts the root file system together and creates the container.
func (s *Service) assemble(ctx context.Context, t *task, r *api.CreateRequest) (err error) {
	if err := SaveOptions(t.bundle, t.options); err != nil {
		return err
	}
	rootfs := rootfsOf(t.bundle)
	if len(r.Rootfs) > 0 {
		if err := os.Mkdir(rootfs, 0o711); err != nil && !os.IsExist(err) {
			return err
		}
		s.reaper.hold()
		err := mount.All(r.Rootfs, rootfs)
		s.reaper.release()
		if err != nil {
			return err
		}
		defer func() {
			if err != nil {
				s.warn("cannot clean up after a failed create", mount.Unmount(rootfs))
			}
		}()
	}
	launch := s.launch
	if t.saved != nil {
		launch = s.await
	}
	if err := launch(ctx, t); err != nil {
		return fmt.Errorf("OCI runtime create failed: %w", err)
	}
	s.events.Publish(&api.TaskCreate{ContainerID: t.id, Bundle: t.bundle, Rootfs: r.Rootfs, Stdio: &t.init.stdio,
		Checkpoint: r.Checkpoint, Pid: uint32(t.init.pid)})
	return nil
}

// rootfsOf is where a bundle has the root file system that containerd gives.
func rootfsOf(bundle string) string { return bundle + "/rootfs" }

// launch creates the container and begins to watch it.
func (s *Service) launch(ctx context.Context, t *task) error {
	p := t.init
	p.op.Lock() // an exit has to wait until the container is known
	defer p.op.Unlock()
	if err := s.openStreams(ctx, p, t.options); err != nil {
		return err
	}
	s.reaper.hold()
	defer s.reaper.release()
	made, err := t.runtime.CreateProcess(t.id, container.CreateOptions{Bundle: t.bundle, PidFile: filepath.Join(t.bundle, pidFile),
		NoPivot: t.options.NoPivotRoot, NoNewKeyring: t.options.NoNewKeyring, Stdio: p.streams.Child()})
	if err != nil {
		p.streams.Close()
		return err
	}
	if err := s.attend(t, made, api.Created); err != nil {
		return err
	}
	s.put(t)
	return nil
}

// attend begins to serve and to watch an init. The reaper is held by the caller.
func (s *Service) attend(t *task, made *container.Process, status api.Status) error {
	p := t.init
	err := p.streams.Started(made.Terminal)
	if err == nil {
		if err = s.openDoor(t); err != nil {
			err = fmt.Errorf("cannot take clients: %w", err)
		}
	}
	if err != nil {
		p.streams.Close()
		s.abandon(t, made.Pid)
		return err
	}
	p.born(made.Pid, status)
	t.oom = s.watchOOM(t)
	s.reaper.watch(made.Pid, func(exit api.Exit) { s.initExited(t, exit) })
	return nil
}

// abandon removes a container that came about and cannot be kept.
func (s *Service) abandon(t *task, pid int) {
	s.warn("cannot clean up after a failed create", t.runtime.Delete(t.id, true))
	unix.Wait4(pid, nil, 0, nil)
}

// openStreams opens what the client has for the process's standard streams.
func (s *Service) openStreams(ctx context.Context, p *process, o *api.Options) error {
	streams, err := stdio.Open(ctx, &p.stdio, stdio.Options{ID: p.eventID(), Namespace: s.namespace,
		UID: int(o.IoUID), GID: int(o.IoGID), Loggers: s.reaper, Waits: p.id == "", Warn: s.warn})
	if err != nil {
		return err
	}
	p.task.mu.Lock()
	defer p.task.mu.Unlock()
	p.streams = streams
	return nil
}

func (s *Service) warn(what string, err error) {
	if err != nil {
		s.log.Warn(what, "error", err)
	}
}
