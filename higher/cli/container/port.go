package container

import (
	"cmp"
	"fmt"
	"net"
	"slices"

	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/client"
	"github.com/spf13/cobra"

	"github.com/dhow-containers/dhow/higher/cli"
)

// Port is `dhow port`.
func Port(a *cli.App) *cobra.Command {
	c := &cobra.Command{
		Use: "port CONTAINER [PRIVATE_PORT[/PROTO]]", Short: "Show the published ports of a container", Args: cli.Range(1, 2), ValidArgsFunction: cli.CompletedFirst(running(a)),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := a.Client()
			if err != nil {
				return err
			}
			r, err := c.ContainerInspect(cmd.Context(), args[0], client.ContainerInspectOptions{})
			if err != nil {
				return err
			}
			ports := network.PortMap{}
			if s := r.Container.NetworkSettings; s != nil {
				ports = s.Ports
			}
			if len(args) == 2 {
				return onePort(a, args[0], args[1], ports)
			}
			for _, p := range sortedPorts(ports) {
				for _, b := range ports[p] {
					fmt.Fprintf(a.Out, "%s -> %s\n", p, hostAddress(b))
				}
			}
			return nil
		},
	}
	return cli.Aliased(c, "container port", "port")
}

func onePort(a *cli.App, name, wanted string, ports network.PortMap) error {
	p, err := network.ParsePort(wanted)
	if err != nil {
		return err
	}
	bindings := ports[p]
	if len(bindings) == 0 {
		return cli.Capital(fmt.Sprintf("Error: No public port '%s' published for %s", wanted, name))
	}
	for _, b := range bindings {
		fmt.Fprintln(a.Out, hostAddress(b))
	}
	return nil
}

func sortedPorts(m network.PortMap) []network.Port {
	var all []network.Port
	for p := range m {
		all = append(all, p)
	}
	slices.SortFunc(all, func(a, b network.Port) int {
		return cmp.Or(cmp.Compare(a.Num(), b.Num()), cmp.Compare(string(a.Proto()), string(b.Proto())))
	})
	return all
}

func hostAddress(b network.PortBinding) string {
	ip := ""
	if b.HostIP.IsValid() {
		ip = b.HostIP.String()
	}
	return net.JoinHostPort(ip, b.HostPort)
}
