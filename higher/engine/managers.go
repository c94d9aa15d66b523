package engine

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/moby/moby/api/types/events"

	"github.com/dhow-containers/dhow/higher/apparmor"
	"github.com/dhow-containers/dhow/higher/container"
	"github.com/dhow-containers/dhow/higher/image"
	"github.com/dhow-containers/dhow/higher/network"
	"github.com/dhow-containers/dhow/higher/task"
	"github.com/dhow-containers/dhow/higher/volume"
)

func (e *Engine) openImages(ctx context.Context) (err error) {
	e.images.Manager, err = image.Open(ctx, image.Options{
		Root: e.config().DataRoot, Snapshotter: e.config().StorageDriver,
		Insecure: e.config().InsecureRegistries, Mirrors: e.config().RegistryMirrors,
		Events: e.bus.Publish, Log: e.log, IDs: e.ids,
		InUse:   func() map[string][]string { return e.containers.ImagesInUse() },
		Running: func(id string) bool { return e.containers.IsRunning(id) },
	})
	return err
}

func (e *Engine) openVolumes(context.Context) (err error) {
	uid, gid := e.ids.Root()
	e.volumes.Manager, err = volume.Open(volume.Options{
		UID: uid, GID: gid,
		DB: e.db, Root: filepath.Join(e.config().DataRoot, "volumes"), DataRoot: e.config().DataRoot, Log: e.log,
		Events: func(action events.Action, name string, attributes map[string]string) {
			e.bus.Publish(events.VolumeEventType, action, name, attributes)
		},
	})
	return err
}

func (e *Engine) openNetworks(ctx context.Context) (err error) {
	e.networks.Manager, err = network.Open(ctx, network.Options{
		DB: e.db, StateDir: filepath.Join(e.config().ExecRoot, "network"), Log: e.log, Config: e.networkConfig(),
		Events: func(m events.Message) { e.bus.Publish(m.Type, m.Action, m.Actor.ID, m.Actor.Attributes) },
	})
	return err
}

// networkConfig is what the flags say about networks.
func (e *Engine) networkConfig() network.Config {
	c := e.config()
	n := network.Config{
		Bridge: c.Bridge, BIP: c.BIP, FixedCIDR: c.FixedCIDR, FixedCIDR6: c.FixedCIDRv6,
		DefaultGateway: c.DefaultGateway, DefaultGateway6: c.DefaultGatewayV6,
		DNS: c.DNS, DNSOptions: c.DNSOpts, DNSSearch: c.DNSSearch, HostGateway: c.HostGatewayIPs, MTU: c.MTU,
		ICC: c.ICC, IPForward: c.IPForward, IPMasq: c.IPMasq, Firewall: c.IPTables, IPv6: c.IPv6, UserlandProxy: c.UserlandProxy,
		AddressPools: network.DefaultAddressPools(),
	}
	if !c.IP.IsUnspecified() {
		n.HostIP = c.IP
	}
	if len(c.AddressPools) > 0 {
		n.AddressPools = nil
		for _, p := range c.AddressPools {
			n.AddressPools = append(n.AddressPools, network.AddressPool(p))
		}
	}
	return n
}

func (e *Engine) openContainers(ctx context.Context) error {
	program, err := companion(shimProgram)
	if err != nil {
		return fmt.Errorf("cannot find what runs containers: %w", err)
	}
	initProgram, err := companion("dhow-init")
	if err != nil {
		e.log.Warn("containers cannot be run with --init", "error", err)
	}
	tasks := task.New(task.Options{
		Shim: program, Root: filepath.Join(e.config().ExecRoot, "containers"), RuntimeRoot: filepath.Join(e.config().ExecRoot, "runtime"),
		SystemdCgroup: e.defaults.SystemdCgroup, Log: e.log,
	})
	e.containers.Manager, err = container.Open(ctx, container.Options{
		DB: e.db, DataRoot: e.config().DataRoot, ExecRoot: e.config().ExecRoot,
		Images: e.images.Manager, Tasks: container.Shims(tasks), Volumes: e.volumes.Manager, Networks: e.networks.Manager,
		Bus: e.bus, Defaults: e.defaults, Init: initProgram, Confine: e.confine(ctx),
		StopTimeout: e.config().StopTimeout, LiveRestore: e.config().LiveRestore, Log: e.log,
	})
	return err
}

// confine loads the profile of containers. One that cannot be loaded is an error of each container that wants it: it is
// not run without.
func (e *Engine) confine(ctx context.Context) func(context.Context, string) error {
	if !e.defaults.Host.AppArmor {
		return nil
	}
	var l apparmor.Loader
	if err := l.Ensure(ctx, apparmor.Default); err != nil {
		e.log.Warn("containers can only be run without AppArmor", "error", err)
	}
	return l.Ensure
}
