package task

import (
	"context"
	"path/filepath"

	"github.com/dhow-containers/dhow/runtime/checkpoint"
	"github.com/dhow-containers/dhow/runtime/container"
	"github.com/dhow-containers/dhow/shim/api"
)

// saved is a checkpoint that a container is made from, when it is started.
type saved struct {
	images string // directory of the image files
	parent string // of what was saved before them, relative to images
}

// savedBy finds the checkpoint that a request asks for; nil: none. containerd puts the option's path into the request only
// when the runtime is runc's by name.
func savedBy(r *api.CreateRequest, o *api.Options) *saved {
	images := r.Checkpoint
	if images == "" {
		images = o.CriuImagePath
	}
	if images == "" {
		return nil
	}
	return &saved{images, r.Parent}
}

// await gets a container ready to be restored.
func (s *Service) await(ctx context.Context, t *task) error {
	if err := s.openStreams(ctx, t.init, t.options); err != nil {
		return err
	}
	s.put(t)
	return nil
}

// restore has criu restore a container's processes, which then run. The reaper is held by the caller. What was allowed for
// the checkpoint is allowed here, where nobody is asked again. After a failure it may be tried again.
func (s *Service) restore(t *task) error {
	work := t.options.CriuWorkPath
	if work == "" {
		work = workDir(t.bundle)
	}
	made, err := t.runtime.RestoreProcess(t.id, container.RestoreOptions{Bundle: t.bundle, PidFile: filepath.Join(t.bundle, pidFile), Detach: true,
		Stdio: t.init.streams.Child(), Options: checkpoint.Options{Criu: t.options.CriuPath, ImagePath: t.saved.images, WorkPath: work,
			ParentPath: t.saved.parent, TCPEstablished: true, ExtUnixSk: true, FileLocks: true, StatusFD: -1}})
	if err != nil {
		return err
	}
	return s.attend(t, made, api.Running)
}
