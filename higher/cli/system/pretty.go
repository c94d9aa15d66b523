package system

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/docker/go-units"
	"github.com/moby/moby/api/types/system"
	"github.com/moby/moby/client/pkg/security"

	"github.com/dhow-containers/dhow/higher/cli"
)

// printer prints lines of `dhow info`.
type printer struct{ w io.Writer }

func (p printer) line(label string, value any) { fmt.Fprintln(p.w, label, value) }

func (p printer) some(label, value string) {
	if value != "" {
		p.line(label, value)
	}
}

func (p printer) list(label, indent string, values []string) {
	if len(values) == 0 {
		return
	}
	fmt.Fprintln(p.w, label)
	for _, v := range values {
		fmt.Fprintln(p.w, indent+v)
	}
}

func (p printer) pairs(indent string, pairs [][2]string) {
	for _, x := range pairs {
		fmt.Fprintf(p.w, "%s%s: %s\n", indent, x[0], x[1])
	}
}

func pretty(a *cli.App, i *information) error {
	p := printer{a.Out}
	fmt.Fprintln(p.w, "Client:")
	p.some(" Version:   ", i.ClientInfo.Version)
	p.line(" Context:   ", i.ClientInfo.Context)
	p.line(" Debug Mode:", i.ClientInfo.Debug)
	fmt.Fprintln(p.w)
	fmt.Fprintln(p.w, "Server:")
	if i.Info == nil {
		return errors.New(i.ServerErrors[0])
	}
	p.engine(i.Info)
	p.host(i.Info)
	p.rest(i.Info)
	fmt.Fprintln(p.w)
	for _, w := range i.Warnings {
		fmt.Fprintln(a.Err, w)
	}
	return nil
}

func (p printer) engine(i *system.Info) {
	p.line(" Containers:", i.Containers)
	p.line("  Running:", i.ContainersRunning)
	p.line("  Paused:", i.ContainersPaused)
	p.line("  Stopped:", i.ContainersStopped)
	p.line(" Images:", i.Images)
	p.some(" Server Version:", i.ServerVersion)
	p.some(" Storage Driver:", i.Driver)
	p.pairs("  ", i.DriverStatus)
	p.pairs(" ", i.SystemStatus)
	p.some(" Logging Driver:", i.LoggingDriver)
	p.some(" Cgroup Driver:", i.CgroupDriver)
	p.some(" Cgroup Version:", i.CgroupVersion)
	fmt.Fprintln(p.w, " Plugins:")
	p.line("  Volume:", strings.Join(i.Plugins.Volume, " "))
	p.line("  Network:", strings.Join(i.Plugins.Network, " "))
	if len(i.Plugins.Authorization) > 0 {
		p.line("  Authorization:", strings.Join(i.Plugins.Authorization, " "))
	}
	p.line("  Log:", strings.Join(i.Plugins.Log, " "))
	p.list(" CDI spec directories:", "  ", i.CDISpecDirs)
	p.line(" Swarm:", i.Swarm.LocalNodeState)
	if len(i.Runtimes) > 0 {
		p.line(" Runtimes:", strings.Join(sortedKeys(i.Runtimes), " "))
		p.line(" Default Runtime:", i.DefaultRuntime)
	}
	if i.OSType == "linux" {
		p.line(" Init Binary:", i.InitBinary)
		p.line(" containerd version:", i.ContainerdCommit.ID)
		p.line(" runc version:", i.RuncCommit.ID)
		p.line(" init version:", i.InitCommit.ID)
	}
	p.security(i)
}

func (p printer) security(i *system.Info) {
	all := security.DecodeOptions(i.SecurityOptions)
	if len(all) > 0 && i.OSType == "linux" {
		fmt.Fprintln(p.w, " Security Options:")
		for _, o := range all {
			fmt.Fprintln(p.w, "  "+o.Name)
			for _, kv := range o.Options {
				if kv.Key == "profile" {
					p.line("   Profile:", kv.Value)
				}
			}
		}
	}
}

func (p printer) host(i *system.Info) {
	p.some(" Kernel Version:", i.KernelVersion)
	p.some(" Operating System:", i.OperatingSystem)
	p.some(" OSType:", i.OSType)
	p.some(" Architecture:", i.Architecture)
	p.line(" CPUs:", i.NCPU)
	p.line(" Total Memory:", units.BytesSize(float64(i.MemTotal)))
	p.some(" Name:", i.Name)
	p.some(" ID:", i.ID)
	p.line(" Docker Root Dir:", i.DockerRootDir)
	p.line(" Debug Mode:", i.Debug)
	if i.Debug {
		p.line("  File Descriptors:", i.NFd)
		p.line("  Goroutines:", i.NGoroutines)
		p.line("  System Time:", i.SystemTime)
		p.line("  EventsListeners:", i.NEventsListener)
	}
	p.some(" HTTP Proxy:", i.HTTPProxy)
	p.some(" HTTPS Proxy:", i.HTTPSProxy)
	p.some(" No Proxy:", i.NoProxy)
}

func (p printer) rest(i *system.Info) {
	p.list(" Labels:", "  ", i.Labels)
	p.line(" Experimental:", i.ExperimentalBuild)
	if r := i.RegistryConfig; r != nil {
		var insecure []string
		for _, name := range sortedKeys(r.IndexConfigs) {
			if !r.IndexConfigs[name].Secure {
				insecure = append(insecure, r.IndexConfigs[name].Name)
			}
		}
		for _, c := range r.InsecureRegistryCIDRs {
			insecure = append(insecure, c.String())
		}
		p.list(" Insecure Registries:", "  ", insecure)
		p.list(" Registry Mirrors:", "  ", r.Mirrors)
	}
	p.line(" Live Restore Enabled:", i.LiveRestoreEnabled)
	p.some(" Product License:", i.ProductLicense)
	if len(i.DefaultAddressPools) > 0 {
		fmt.Fprintln(p.w, " Default Address Pools:")
		for _, pool := range i.DefaultAddressPools {
			fmt.Fprintf(p.w, "   Base: %s, Size: %d\n", pool.Base, pool.Size)
		}
	}
	if f := i.FirewallBackend; f != nil {
		p.line(" Firewall Backend:", f.Driver)
		p.pairs("  ", f.Info)
	}
}
