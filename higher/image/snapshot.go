package image

import (
	"context"
	"fmt"
	"strings"

	"github.com/containerd/containerd/v2/core/mount"
	"github.com/containerd/containerd/v2/core/snapshots"
	"github.com/containerd/errdefs"
	"github.com/dhow-containers/dhow/higher/task"
	"github.com/dhow-containers/dhow/higher/userns"
)

const (
	// containerKey begins the keys of containers' snapshots.
	containerKey = "container/"
	// rootLabel keeps a snapshot, and those that it stands on, from being collected.
	rootLabel = "containerd.io/gc.root"
)

// Prepare makes the writable part of a container's root file system, on top of an image, which is unpacked if it is not
// yet. Without an image it is empty. Nothing is done if it is there already. With remapped its files are those of the ids
// in Options.IDs, of the layers below too.
func (m *Manager) Prepare(ctx context.Context, container string, img *Image, remapped bool) error {
	ctx = m.in(ctx)
	key := containerKey + container
	labels := m.labels(remapped)
	err := m.prepare(ctx, key, img, labels)
	for errdefs.IsNotFound(err) { // a collection may take the base away in between
		err = m.makeBase(ctx, img)
		if errdefs.IsNotFound(err) && img != nil { // the layers are not unpacked
			if err = m.unpackImage(ctx, img); err == nil {
				err = m.makeBase(ctx, img)
			}
		}
		if err != nil {
			break
		}
		err = m.prepare(ctx, key, img, labels)
	}
	if err != nil {
		return fmt.Errorf("cannot make the root file system of container %s: %w", container, err)
	}
	return nil
}

// labels are those of a container's snapshot. The snapshotter, which knows those about ids, makes the container's root the
// owner of the topmost directory, and has the layers below be mounted with their ids mapped.
func (m *Manager) labels(remapped bool) map[string]string {
	all := map[string]string{rootLabel: "container"}
	if ids := m.options.IDs; remapped && ids != nil {
		all[snapshots.LabelSnapshotUIDMapping], all[snapshots.LabelSnapshotGIDMapping] = userns.Format(ids.UIDs), userns.Format(ids.GIDs)
	}
	return all
}

// idsOf reads them.
func idsOf(s snapshots.Info) (ids *userns.Map, err error) {
	uids, gids := s.Labels[snapshots.LabelSnapshotUIDMapping], s.Labels[snapshots.LabelSnapshotGIDMapping]
	if uids == "" {
		return nil, nil
	}
	ids = &userns.Map{}
	if ids.UIDs, err = userns.Parse(uids); err == nil {
		ids.GIDs, err = userns.Parse(gids)
	}
	return ids, err
}

func (m *Manager) prepare(ctx context.Context, key string, img *Image, labels map[string]string) error {
	_, err := m.snapshot.Prepare(ctx, key, baseOf(img), snapshots.WithLabels(labels))
	if errdefs.IsAlreadyExists(err) {
		return nil
	}
	return err
}

// unpackImage unpacks an image whose layers were not, and holds them until a container has been put on them.
func (m *Manager) unpackImage(ctx context.Context, img *Image) error {
	one, err := m.again(ctx, img)
	if err != nil {
		return err
	}
	held, release, err := m.hold(ctx, false)
	if err != nil {
		return err
	}
	defer release()
	return m.unpack(held, one, nil)
}

// Mounts are what makes a container's root file system.
func (m *Manager) Mounts(ctx context.Context, container string) ([]task.Mount, error) {
	return m.mounts(ctx, containerKey+container)
}

func (m *Manager) mounts(ctx context.Context, key string) ([]task.Mount, error) {
	mounts, err := m.snapshot.Mounts(m.in(ctx), key)
	if err != nil {
		return nil, fmt.Errorf("cannot find the root file system of %s: %w", key, err)
	}
	var out []task.Mount
	for _, one := range taskMounts(mounts) {
		out = append(out, *one)
	}
	return out, nil
}

// taskMounts are mounts as the shim takes them.
func taskMounts(mounts []mount.Mount) (out []*task.Mount) {
	for _, one := range mounts {
		out = append(out, &task.Mount{Type: one.Type, Source: one.Source, Target: one.Target, Options: one.Options})
	}
	return out
}

// Release removes the writable part of a container's root file system, if it is there.
func (m *Manager) Release(ctx context.Context, container string) error {
	err := m.snapshot.Remove(m.in(ctx), containerKey+container)
	if err != nil && !errdefs.IsNotFound(err) {
		return fmt.Errorf("cannot remove the root file system of container %s: %w", container, err)
	}
	m.sweeper.soon()
	return nil
}

// snapshots lists all snapshots.
func (m *Manager) snapshots(ctx context.Context) (list []snapshots.Info, err error) {
	err = m.snapshot.Walk(ctx, func(_ context.Context, s snapshots.Info) error {
		list = append(list, s)
		return nil
	})
	if errdefs.IsNotFound(err) { // there has never been one
		err = nil
	}
	return list, err
}

// Containers are those that have a writable part, or have been lent an image, in no order; some more than once.
func (m *Manager) Containers(ctx context.Context) (ids []string, err error) {
	list, err := m.snapshots(m.in(ctx))
	for _, s := range list {
		if id, ok := strings.CutPrefix(s.Name, containerKey); ok {
			ids = append(ids, id)
		} else if id, ok := strings.CutPrefix(s.Name, lentKey); ok {
			id, _, _ = strings.Cut(id, "/")
			ids = append(ids, id)
		}
	}
	return ids, err
}

// Usage is how many bytes a container's writable part takes.
func (m *Manager) Usage(ctx context.Context, container string) (int64, error) {
	u, err := m.snapshot.Usage(m.in(ctx), containerKey+container)
	if err != nil {
		return 0, fmt.Errorf("cannot tell the size of container %s: %w", container, err)
	}
	return u.Size, nil
}

// unpackedSize is how many bytes an image's layers take, unpacked.
func (m *Manager) unpackedSize(ctx context.Context, one *manifest) (sum int64, err error) {
	for _, id := range one.chain() {
		size, err := m.layerSize(ctx, id)
		if err != nil {
			return 0, err
		}
		sum += size
	}
	return sum, nil
}

// layerSize is how many bytes a layer takes, 0 when it is not unpacked.
func (m *Manager) layerSize(ctx context.Context, chainID string) (int64, error) {
	u, err := m.snapshot.Usage(ctx, chainID)
	if errdefs.IsNotFound(err) {
		return 0, nil
	}
	return u.Size, err
}
