package container

import (
	"context"
	"errors"
	"strings"

	"github.com/containerd/errdefs"
	"github.com/dhow-containers/dhow/higher/container/oci"
	types "github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/events"
)

// ContainerUpdate changes limits, of a container that runs at once, and the restart policy.
func (m *Manager) ContainerUpdate(ctx context.Context, name string, u *types.UpdateConfig) (types.UpdateResponse, error) {
	c, err := m.get(name)
	if err != nil {
		return types.UpdateResponse{}, err
	}
	c.op.Lock()
	defer c.op.Unlock()
	warnings, err := c.update(ctx, u)
	if errdefs.IsInvalidArgument(err) {
		return types.UpdateResponse{Warnings: warnings}, err // about the request alone
	}
	if err != nil {
		return types.UpdateResponse{Warnings: warnings}, wrapf(err, "Cannot update container %s", c.id)
	}
	c.emit(events.ActionUpdate, nil)
	return types.UpdateResponse{Warnings: warnings}, nil
}

func (c *container) update(ctx context.Context, u *types.UpdateConfig) (warnings []string, err error) {
	r := c.record()
	if r.Phase == Removing || r.Phase == Dead {
		return nil, conflictf(`container is marked for removal and cannot be "update"`)
	}
	h, warnings, err := oci.CheckUpdate(r.HostConfig, u, c.m.Defaults)
	if err != nil {
		return warnings, err
	}
	if err := c.amend(func(r *Record) error { r.HostConfig = h; return nil }); err != nil {
		return warnings, err
	}
	if !h.RestartPolicy.IsSame(&r.HostConfig.RestartPolicy) && h.RestartPolicy.IsNone() && r.Phase == Restarting {
		c.giveUp()
	}
	run, err := c.running()
	if err != nil {
		return warnings, nil // the next start goes by it
	}
	limits, err := oci.Resources(h)
	if err == nil {
		err = run.task.Update(ctx, limits)
	}
	if err != nil {
		return warnings, errors.Join(err, c.amend(func(n *Record) error { n.HostConfig = r.HostConfig; return nil }))
	}
	return warnings, nil
}

// ContainerRename gives a container another name, in networks, too.
func (m *Manager) ContainerRename(_ context.Context, name, to string) error {
	name, to = strings.TrimSpace(name), strings.TrimSpace(to)
	if strings.TrimPrefix(name, "/") == "" || strings.TrimPrefix(to, "/") == "" {
		return invalidf("Neither old nor new names may be empty")
	}
	c, err := m.get(name)
	if err != nil {
		return err
	}
	c.op.Lock()
	defer c.op.Unlock()
	old := c.record().Name
	if old == strings.TrimPrefix(to, "/") {
		return invalidf("Renaming a container with the same name as its current name")
	}
	if to, err = m.reserve(c.id, "/"+strings.TrimPrefix(to, "/")); err != nil {
		return wrapf(err, "Error when allocating new name")
	}
	if err := c.rename(to); err != nil {
		m.release(c.id, to)
		return err
	}
	m.release(c.id, old)
	c.emit(events.ActionRename, map[string]string{"oldName": "/" + old})
	return nil
}

func (c *container) rename(to string) error {
	old := c.record().Name
	if err := c.amend(func(r *Record) error { r.Name = to; return nil }); err != nil {
		return err
	}
	if c.m.Networks.Sandbox(c.id) == nil {
		return nil
	}
	err := c.m.Networks.Rename(c.id, to)
	if err == nil {
		err = c.amend(func(r *Record) error { c.m.showNetworks(r); return nil })
	}
	if err != nil {
		return errors.Join(err, c.amend(func(r *Record) error { r.Name = old; return nil }))
	}
	return nil
}
