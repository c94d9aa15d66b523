package image

import (
	"context"
	"fmt"
	"time"

	"github.com/containerd/containerd/v2/core/leases"
	"github.com/containerd/errdefs"
)

const (
	// leaseLife is how long the parts of an interrupted pull are kept.
	leaseLife = 24 * time.Hour
	// leaseResumable marks the lease of what a later process can go on with.
	leaseResumable = "dhow/resumable"
)

// hold keeps what is made with the context that it returns from being collected, until release.
func (m *Manager) hold(ctx context.Context, resumable bool) (_ context.Context, release func(), err error) {
	ctx = m.in(ctx)
	opts := []leases.Opt{leases.WithRandomID(), leases.WithExpiration(leaseLife)}
	if resumable {
		opts = append(opts, leases.WithLabel(leaseResumable, "true"))
	}
	lease, err := m.leases.Create(ctx, opts...)
	if err != nil {
		return nil, nil, fmt.Errorf("cannot write to the image database: %w", err)
	}
	m.active.Store(lease.ID, true)
	done := context.WithoutCancel(ctx)
	return leases.WithLease(ctx, lease.ID), func() {
		m.active.Delete(lease.ID)
		if err := m.leases.Delete(done, lease); err != nil && !errdefs.IsNotFound(err) {
			m.log.Warn("cannot remove a lease", "error", err)
		}
	}, nil
}

// letGo leaves a lease to run out.
func (m *Manager) letGo(ctx context.Context) {
	if id, ok := leases.FromContext(ctx); ok {
		m.active.Delete(id)
	}
}

// dropLeases removes the leases that are chosen, of those that nobody works with.
func (m *Manager) dropLeases(ctx context.Context, chosen func(leases.Lease) bool) error {
	list, err := m.leases.List(ctx)
	if err != nil {
		return err
	}
	for _, l := range list {
		if _, ok := m.active.Load(l.ID); ok || !chosen(l) {
			continue
		}
		if err := m.leases.Delete(ctx, l); err != nil && !errdefs.IsNotFound(err) {
			return err
		}
	}
	return nil
}
