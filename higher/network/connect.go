package network

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/events"
	types "github.com/moby/moby/api/types/network"
)

// Connect gives a running container, with its network namespace, a place in one more network. Its files may have to be
// written again.
func (m *Manager) Connect(ctx context.Context, c Container, name string, s *types.EndpointSettings, netns *os.File) (*Endpoint, error) {
	if err := m.Check(name, s); err != nil {
		return nil, err
	}
	if err := m.CheckConnect(c.ID, name); err != nil {
		return nil, err
	}
	e, err := m.Reserve(ctx, c, name, s)
	if err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	b := m.sandboxes[c.ID]
	if b == nil {
		return nil, errdefs.ErrNotFound.WithMessage(fmt.Sprintf("container %s has no place in any network", c.ID))
	}
	if err := m.extend(b, e, netns); err != nil {
		wasGateway := b.gateway(false) == e || b.gateway(true) == e
		err = errors.Join(err, m.leave(b, e))
		if wasGateway {
			err = errors.Join(err, m.republish(b))
		}
		return nil, err
	}
	m.emit(events.ActionConnect, m.networks[e.NetworkID], map[string]string{"container": c.ID})
	return e, nil
}

// extend joins a new endpoint, and moves the published ports if the default route is now by it.
func (m *Manager) extend(b *Sandbox, e *Endpoint, netns *os.File) error {
	if b.gateway(false) == e || b.gateway(true) == e {
		if err := m.republish(b); err != nil {
			return err
		}
	}
	if err := m.join(b, netns, []*Endpoint{e}); err != nil {
		return err
	}
	m.directory.add([]*Endpoint{e})
	b.Attached = true
	return m.store.putSandbox(b)
}

// republish has ports lead to where the default routes are now, at the ports of the host they had.
func (m *Manager) republish(b *Sandbox) error {
	had := b.Ports
	err := m.unpublish(b)
	asked := b.Container.Ports
	b.Container.Ports = fixed(asked, had)
	err = errors.Join(err, m.publish(b))
	b.Container.Ports = asked
	for _, h := range b.held {
		h.serve(m.config.UserlandProxy)
	}
	return err
}

// fixed is what was published before where there is any, so that ports that nobody named stay the same.
func fixed(asked, had types.PortMap) types.PortMap {
	all := types.PortMap{}
	for p, bindings := range asked {
		all[p] = bindings
	}
	for p, bindings := range had {
		if len(bindings) > 0 {
			all[p] = bindings
		}
	}
	return all
}

// CheckConnect says whether a container may be connected to a network; it need not run.
func (m *Manager) CheckConnect(container, name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	w, err := m.find(name)
	if err != nil {
		return err
	}
	b := m.sandboxes[container]
	switch {
	case w.Driver == driverHost:
		return errdefs.ErrInvalidArgument.WithMessage("cannot connect container to host network - container must be created in host network mode")
	case b == nil:
		return nil
	case b.onHost():
		return errdefs.ErrInvalidArgument.WithMessage("container sharing network namespace with another container or host cannot be connected to any other network")
	case w.Driver == driverNull || slices.ContainsFunc(b.Endpoints, func(e *Endpoint) bool { return e.Driver == driverNull }):
		return errdefs.ErrInvalidArgument.WithMessage("container cannot be connected to multiple networks with one of the networks in private (none) mode")
	case b.endpoint(w.ID) != nil:
		return errdefs.ErrPermissionDenied.WithMessage(fmt.Sprintf("endpoint with name %s already exists in network %s", b.Container.Name, w.Name))
	}
	return nil
}

// Disconnect takes a running container's place in a network. Its files may have to be written again.
func (m *Manager) Disconnect(_ context.Context, container, name string, netns *os.File) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	w, err := m.find(name)
	if err != nil {
		return err
	}
	b := m.sandboxes[container]
	var e *Endpoint
	if b != nil {
		e = b.endpoint(w.ID)
	}
	if e == nil {
		return errdefs.ErrPermissionDenied.WithMessage(fmt.Sprintf("container %s is not connected to network %s", container, w.Name))
	}
	if e.Driver == driverHost {
		return errdefs.ErrInvalidArgument.WithMessage("cannot disconnect container from host network - container was created in host network mode")
	}
	wasGateway := b.gateway(false) == e || b.gateway(true) == e
	m.directory.remove([]*Endpoint{e})
	if err := m.leave(b, e); err != nil {
		return err
	}
	m.emit(events.ActionDisconnect, w, map[string]string{"container": container})
	if wasGateway {
		err = m.republish(b)
	}
	// Routes by the networks that are left, and names in them.
	err = errors.Join(err, inNetns(netns, func() error {
		if err := b.configure(b.Endpoints); err != nil {
			return err
		}
		return m.serveNames(b, netns)
	}))
	if b.user() == nil {
		b.stopNames()
	}
	return errors.Join(err, m.store.putSandbox(b))
}

// leave takes an endpoint from a container, with its device and addresses.
func (m *Manager) leave(b *Sandbox, e *Endpoint) error {
	err := m.part(b, []*Endpoint{e})
	b.Endpoints = slices.DeleteFunc(b.Endpoints, func(o *Endpoint) bool { return o == e })
	if w := m.networks[e.NetworkID]; w != nil {
		w.free(e)
		delete(w.endpoints, b.Container.ID)
	}
	return errors.Join(err, m.store.putSandbox(b))
}
