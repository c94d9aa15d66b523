package image

import (
	"context"
	"os"
	"path/filepath"
	"strings"

	"github.com/containerd/containerd/v2/core/leases"
	"github.com/containerd/containerd/v2/core/snapshots"
	"github.com/containerd/errdefs"
)

// cleanMark is a file that says that the last process ended as it should, and left nothing to be cleared.
const cleanMark = "image.clean"

// Close ends what goes on in the background, and closes the database.
func (m *Manager) Close() error {
	swept := m.sweeper.close()
	err := m.db.Close()
	if e := m.backend.Close(); err == nil {
		err = e
	}
	if err == nil && swept {
		err = os.WriteFile(filepath.Join(m.options.Root, cleanMark), nil, 0o600)
	}
	return err
}

// recover takes away what was being made when the last process was killed, and what nothing holds.
func (m *Manager) recover(ctx context.Context) error {
	if err := os.Remove(filepath.Join(m.options.Root, cleanMark)); err == nil {
		return nil
	}
	list, err := m.snapshots(ctx)
	if err != nil {
		return err
	}
	for _, s := range list {
		if s.Kind == snapshots.KindCommitted || strings.HasPrefix(s.Name, containerKey) || strings.HasPrefix(s.Name, lentKey) {
			continue
		}
		if err := m.snapshot.Remove(ctx, s.Name); err != nil {
			return err
		}
	}
	if err := m.dropLeases(ctx, func(l leases.Lease) bool { return l.Labels[leaseResumable] == "" }); err != nil {
		return err
	}
	m.collect(ctx)
	if err := m.soil(ctx); err != nil {
		return err
	}
	m.collect(ctx)
	return nil
}

// soil makes and removes a snapshot and a blob: a collection looks for files that the database does not know only where
// something was removed in the life of the process, and the last one may have been killed between the two.
func (m *Manager) soil(ctx context.Context) error {
	if _, err := m.snapshot.Prepare(ctx, "sweep", ""); err != nil && !errdefs.IsAlreadyExists(err) {
		return err
	}
	if err := m.snapshot.Remove(ctx, "sweep"); err != nil {
		return err
	}
	d, err := m.ingest(ctx, strings.NewReader("sweep"), 0, "")
	if err != nil {
		return err
	}
	return m.content.Delete(ctx, d)
}
