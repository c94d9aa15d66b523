package engine

import (
	"context"
	"net/netip"
	"os"
	"runtime"
	"slices"
	"time"

	"github.com/moby/moby/api/types/registry"
	"github.com/moby/moby/api/types/swarm"
	"github.com/moby/moby/api/types/system"

	"github.com/dhow-containers/dhow/higher/api"
	"github.com/dhow-containers/dhow/higher/config"
)

// indexServer is where names without a registry come from.
const indexServer = "https://index.docker.io/v1/"

// SystemInfo describes the engine and its host.
func (e *Engine) SystemInfo(ctx context.Context) (*system.Info, error) {
	images, err := e.images.ImageList(ctx, api.ImageListOptions{})
	if err != nil {
		return nil, err
	}
	c := e.config()
	info := &system.Info{
		ID: e.id, Images: len(images), Driver: e.images.Driver(),
		DriverStatus: [][2]string{{"driver-type", "io.containerd.snapshotter.v1"}},
		Plugins: system.PluginsInfo{
			Volume: []string{"local"}, Network: []string{"bridge", "host", "null"}, Log: []string{"json-file", "local"},
		},
		IPv4Forwarding: enabled("net/ipv4/ip_forward"),
		Debug:          c.Debug, NFd: descriptors(), NGoroutines: runtime.NumGoroutine(), NEventsListener: e.bus.Subscribers(),
		SystemTime: time.Now().Format(time.RFC3339Nano), LoggingDriver: c.LogDriver,
		KernelVersion: e.host.kernel, OperatingSystem: e.host.system, OSVersion: e.host.version, OSType: runtime.GOOS,
		Architecture: e.host.architecture, NCPU: runtime.NumCPU(), MemTotal: memory(), Name: e.host.name,
		IndexServerAddress: indexServer, RegistryConfig: e.registries(),
		DockerRootDir: c.DataRoot, Labels: slices.Clone(c.Labels), ServerVersion: e.build.Version,
		HTTPProxy: os.Getenv("HTTP_PROXY"), HTTPSProxy: os.Getenv("HTTPS_PROXY"), NoProxy: os.Getenv("NO_PROXY"),
		Runtimes: e.runtimes(), DefaultRuntime: c.DefaultRuntime,
		Swarm:              swarm.Info{LocalNodeState: swarm.LocalNodeStateInactive},
		LiveRestoreEnabled: c.LiveRestore, InitBinary: "dhow-init",
		ContainerdCommit: system.Commit{ID: "embedded"}, RuncCommit: system.Commit{ID: e.build.Commit}, InitCommit: system.Commit{ID: e.build.Commit},
		SecurityOptions: e.securityOptions(), CDISpecDirs: []string{}, Warnings: []string{},
	}
	if info.Labels == nil {
		info.Labels = []string{}
	}
	info.ContainersRunning, info.ContainersPaused, info.ContainersStopped = e.containers.Counts()
	info.Containers = info.ContainersRunning + info.ContainersPaused + info.ContainersStopped
	if c.IPTables {
		info.FirewallBackend = &system.FirewallInfo{Driver: "nftables"}
	}
	for _, p := range c.AddressPools {
		info.DefaultAddressPools = append(info.DefaultAddressPools, system.NetworkAddressPool{Base: p.Base, Size: p.Size})
	}
	fillLimits(info, e.defaults)
	return info, nil
}

// securityOptions are those that containers get without asking.
func (e *Engine) securityOptions() []string {
	var options []string
	if e.defaults.Host.AppArmor {
		options = append(options, "name=apparmor")
	}
	profile := e.config().SeccompProfile
	if profile == "" {
		profile = "builtin"
	}
	options = append(options, "name=seccomp,profile="+profile, "name=cgroupns")
	if e.ids != nil {
		options = append(options, "name=userns")
	}
	if e.config().NoNewPrivileges {
		options = append(options, "name=no-new-privileges")
	}
	return options
}

func (e *Engine) runtimes() map[string]system.RuntimeWithStatus {
	all := map[string]system.RuntimeWithStatus{}
	for _, name := range []string{"dhow", "runc"} { // clients ask for "runc" when they mean the default
		all[name] = system.RuntimeWithStatus{Runtime: system.Runtime{Type: config.OurType}}
	}
	for name, r := range e.config().Runtimes {
		all[name] = system.RuntimeWithStatus{Runtime: system.Runtime{Path: r.Path, Args: r.Args}}
	}
	return all
}

// registries is how registries are spoken to.
func (e *Engine) registries() *registry.ServiceConfig {
	s := &registry.ServiceConfig{
		InsecureRegistryCIDRs: []netip.Prefix{netip.MustParsePrefix("::1/128"), netip.MustParsePrefix("127.0.0.0/8")},
		IndexConfigs:          map[string]*registry.IndexInfo{"docker.io": {Name: "docker.io", Mirrors: e.mirrors(), Secure: true, Official: true}},
		Mirrors:               e.mirrors(),
	}
	for _, r := range e.config().InsecureRegistries {
		if p, err := netip.ParsePrefix(r); err == nil {
			s.InsecureRegistryCIDRs = append(s.InsecureRegistryCIDRs, p)
		} else {
			s.IndexConfigs[r] = &registry.IndexInfo{Name: r, Mirrors: []string{}}
		}
	}
	return s
}

func (e *Engine) mirrors() []string { return append([]string{}, e.config().RegistryMirrors...) }
