package image

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/containerd/containerd/v2/core/snapshots"
	"github.com/containerd/errdefs"
	"github.com/dhow-containers/dhow/higher/task"
)

// lentKey begins the keys of images that containers have mounted: lent/CONTAINER/NUMBER.
const lentKey = "lent/"

func lent(container string, n int) string { return lentKey + container + "/" + strconv.Itoa(n) }

// Lend holds an image, unpacked, for a container to mount; n numbers the mounts of one. It can be repeated.
func (m *Manager) Lend(ctx context.Context, container string, n int, img *Image, remapped bool) error {
	ctx = m.in(ctx)
	err := m.lend(ctx, lent(container, n), img, remapped)
	for errdefs.IsNotFound(err) { // its layers are not unpacked, or collected in between
		if err = m.unpackImage(ctx, img); err == nil {
			err = m.lend(ctx, lent(container, n), img, remapped)
		}
	}
	if err != nil {
		return fmt.Errorf("cannot hold image %s for container %s: %w", img.ID, container, err)
	}
	return nil
}

func (m *Manager) lend(ctx context.Context, key string, img *Image, remapped bool) error {
	_, err := m.snapshot.View(ctx, key, img.ChainID.String(), snapshots.WithLabels(m.labels(remapped)))
	if errdefs.IsAlreadyExists(err) {
		return nil
	}
	return err
}

// Lent is what makes the root file system of an image that a container has been lent.
func (m *Manager) Lent(ctx context.Context, container string, n int) ([]task.Mount, error) {
	return m.mounts(ctx, lent(container, n))
}

// Return gives back all that a container has been lent.
func (m *Manager) Return(ctx context.Context, container string) error {
	ctx = m.in(ctx)
	list, err := m.snapshots(ctx)
	if err != nil {
		return err
	}
	for _, s := range list {
		if !strings.HasPrefix(s.Name, lentKey+container+"/") {
			continue
		}
		if err := m.snapshot.Remove(ctx, s.Name); err != nil && !errdefs.IsNotFound(err) {
			return fmt.Errorf("cannot give back an image that container %s had mounted: %w", container, err)
		}
	}
	m.sweeper.soon()
	return nil
}
