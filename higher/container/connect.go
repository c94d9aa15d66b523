package container

import (
	"context"
	"errors"
	"maps"
	"os"

	"github.com/containerd/errdefs"
	"github.com/dhow-containers/dhow/higher/api"
	net "github.com/moby/moby/api/types/network"
)

// NetworkConnect gives a container a place in a network, whether it runs or not.
func (m *Manager) NetworkConnect(ctx context.Context, name string, q *net.ConnectRequest) error {
	c, err := m.get(q.Container)
	if err != nil {
		return err
	}
	c.op.Lock()
	defer c.op.Unlock()
	r := c.record()
	n, err := m.Networks.NetworkInspect(ctx, name, "", false)
	if err != nil {
		return err
	}
	switch {
	case r.Phase == Removing || r.Phase == Dead:
		return conflictf("container is marked for removal and cannot be connected to a network")
	case !r.networked() || r.HostConfig.NetworkMode.IsHost():
		return invalidf("container sharing network namespace with another container or host cannot be connected to any other network")
	}
	s := q.EndpointConfig
	if s == nil {
		s = &net.EndpointSettings{}
	}
	if r.Running() && r.Phase != Restarting {
		return c.connect(ctx, n.Name, s)
	}
	return c.connectLater(n, s)
}

// connect joins a container that runs to a network.
func (c *container) connect(ctx context.Context, name string, s *net.EndpointSettings) error {
	m, r := c.m, c.record()
	links, _, err := m.linksOf(r)
	if err != nil {
		links = nil
	}
	return c.withNetns(func(netns *os.File) error {
		if len(r.Networks) == 0 { // it was started with none
			if err := m.Networks.Disconnect(ctx, c.id, net.NetworkNone, netns); err != nil {
				return err
			}
		}
		if _, err := m.Networks.Connect(ctx, m.asNetwork(r, links), name, s, netns); err != nil {
			return err
		}
		err := c.amend(func(r *Record) error {
			r.Networks = maps.Clone(r.Networks)
			r.Networks[name] = s.Copy()
			m.showNetworks(r)
			return nil
		})
		return errors.Join(err, c.rewriteFiles(ctx))
	})
}

// connectLater notes a network for the next start.
func (c *container) connectLater(n *net.Inspect, s *net.EndpointSettings) error {
	m, r := c.m, c.record()
	if _, has := r.Networks[n.Name]; has {
		return api.Errorf(errdefs.ErrPermissionDenied, "endpoint with name %s already exists in network %s", r.Name, n.Name)
	}
	if err := errors.Join(m.Networks.CheckConnect(c.id, n.Name), m.Networks.Check(n.Name, s)); err != nil {
		return err
	}
	_, none := r.Networks[net.NetworkNone]
	if none || n.Name == net.NetworkNone {
		return invalidf("container cannot be connected to multiple networks with one of the networks in private (none) mode")
	}
	return c.amend(func(r *Record) error {
		r.Networks = maps.Clone(r.Networks)
		r.Networks[n.Name] = s.Copy()
		return nil
	})
}

// NetworkDisconnect takes a container's place in a network. With Force it is no error that the container is gone.
func (m *Manager) NetworkDisconnect(ctx context.Context, name string, q *net.DisconnectRequest) error {
	c, err := m.get(q.Container)
	if err != nil {
		return err
	}
	c.op.Lock()
	defer c.op.Unlock()
	if n, err := m.Networks.NetworkInspect(ctx, name, "", false); err == nil {
		name = n.Name
	} else if !q.Force {
		return err
	}
	r := c.record()
	if name == net.NetworkHost && r.HostConfig.NetworkMode.IsHost() {
		return invalidf("cannot disconnect container from host network - container was created in host network mode")
	}
	if _, has := r.Networks[name]; !has {
		return api.Errorf(errdefs.ErrPermissionDenied, "container %s is not connected to network %s", r.ID, name)
	}
	drop := func() error {
		return c.amend(func(r *Record) error {
			r.Networks = maps.Clone(r.Networks)
			delete(r.Networks, name)
			if m.Networks.Sandbox(c.id) != nil {
				m.showNetworks(r)
			}
			return nil
		})
	}
	if !r.Running() || r.Phase == Restarting {
		return drop()
	}
	return c.withNetns(func(netns *os.File) error {
		if err := m.Networks.Disconnect(ctx, c.id, name, netns); err != nil {
			return err
		}
		return errors.Join(drop(), c.rewriteFiles(ctx))
	})
}

// withNetns calls f with the network namespace of a container that runs.
func (c *container) withNetns(f func(*os.File) error) (err error) {
	netns, err := c.record().openNetns(c.record().Pid)
	if err != nil {
		return err
	}
	if netns != nil {
		defer func() { err = errors.Join(err, netns.Close()) }()
	}
	return f(netns)
}

// rewriteFiles brings /etc/hosts and /etc/resolv.conf up to date. They are written in place: what is mounted in the
// container is the file, not its name.
func (c *container) rewriteFiles(ctx context.Context) error {
	if c.m.Networks.Sandbox(c.id) == nil {
		return nil
	}
	return c.writeFiles(ctx)
}
