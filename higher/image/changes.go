package image

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/containerd/containerd/v2/core/mount"
	"github.com/containerd/containerd/v2/core/snapshots"
	"github.com/dhow-containers/dhow/higher/image/upper"
	types "github.com/moby/moby/api/types/container"
)

// Changes lists what a container has changed in its root file system, in the order of the paths.
func (m *Manager) Changes(ctx context.Context, container string) ([]types.FilesystemChange, error) {
	ctx = m.in(ctx)
	var out []types.FilesystemChange
	err := m.withTree(ctx, container, func(t *upper.Tree) error {
		list, err := t.Changes(ctx)
		for _, c := range list {
			out = append(out, types.FilesystemChange{Kind: types.ChangeType(c.Kind), Path: c.Path})
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("cannot list the changes of container %s: %w", container, err)
	}
	return out, nil
}

// writeChanges writes them as a layer, and tells whether there are any.
func (m *Manager) writeChanges(ctx context.Context, container string, w io.Writer) (changed bool, err error) {
	err = m.withTree(ctx, container, func(t *upper.Tree) error {
		changed, err = t.Archive(ctx, w)
		return err
	})
	return changed, err
}

// withTree calls f with the directories of a container, held for as long as f takes.
func (m *Manager) withTree(ctx context.Context, container string, f func(*upper.Tree) error) error {
	key := containerKey + container
	info, err := m.snapshot.Stat(ctx, key)
	if err != nil {
		return err
	}
	mounts, err := m.snapshot.Mounts(ctx, key)
	if err != nil {
		return err
	}
	t := &upper.Tree{}
	if t.IDs, err = idsOf(info); err != nil {
		return err
	}
	var overlay bool
	if t.Upper, overlay, err = destination(mounts); err != nil {
		return err
	}
	switch {
	case overlay:
		t.Lowers = lowers(mounts)
		return f(t)
	case info.Parent == "": // all of it is new
		return f(t)
	}
	return m.withParent(ctx, info, t, f)
}

// withParent is for a root file system that is a copy of its image's.
func (m *Manager) withParent(ctx context.Context, info snapshots.Info, t *upper.Tree, f func(*upper.Tree) error) error {
	view := "view-" + randomID()
	held, release, err := m.hold(ctx, false)
	if err != nil {
		return err
	}
	defer m.sweeper.soon()
	defer release()
	var mounts []mount.Mount
	if mounts, err = m.snapshot.View(held, view, info.Parent); err != nil {
		return err
	}
	t.Lowers, t.Copy = lowers(mounts), true
	if err := f(t); err != nil {
		return errors.Join(err, m.snapshot.Remove(ctx, view))
	}
	return m.snapshot.Remove(ctx, view)
}
