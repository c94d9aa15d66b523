package network

import (
	"errors"
	"net"
	"net/netip"
	"strings"

	types "github.com/moby/moby/api/types/network"
	"github.com/moby/moby/client"
	"github.com/spf13/cobra"

	"github.com/dhow-containers/dhow/higher/cli"
	"github.com/dhow-containers/dhow/higher/cli/complete"
	"github.com/dhow-containers/dhow/higher/cli/opts"
)

// Connect is `dhow network connect`.
func Connect(a *cli.App) *cobra.Command {
	var e types.EndpointSettings
	var ip, ip6 net.IP
	var local []net.IP
	var driver []string
	c := &cobra.Command{
		Use: "connect [OPTIONS] NETWORK CONTAINER", Short: "Connect a container to a network", Args: cli.Exact(2),
		ValidArgsFunction: cli.CompletedEach(complete.Networks(a), complete.Containers(a, nil)),
		RunE: func(cmd *cobra.Command, args []string) error {
			e.DriverOpts = map[string]string{}
			for _, s := range driver {
				k, v, ok := strings.Cut(s, "=")
				if k = strings.TrimSpace(k); !ok || k == "" {
					return errors.New("invalid key/value pair format in driver options")
				}
				e.DriverOpts[k] = strings.TrimSpace(v)
			}
			e.IPAMConfig = &types.EndpointIPAMConfig{IPv4Address: address(ip), IPv6Address: address(ip6)}
			for _, l := range local {
				e.IPAMConfig.LinkLocalIPs = append(e.IPAMConfig.LinkLocalIPs, address(l))
			}
			c, err := a.Client()
			if err != nil {
				return err
			}
			_, err = c.NetworkConnect(cmd.Context(), args[0], client.NetworkConnectOptions{Container: args[1], EndpointConfig: &e})
			return err
		},
	}
	fs := c.Flags()
	fs.IPVar(&ip, "ip", nil, "IPv4 address (172.30.100.104)")
	fs.IPVar(&ip6, "ip6", nil, "IPv6 address (2001:db8::33)")
	opts.List(fs, &e.Links, "link", "", "Link to another container", opts.Link)
	fs.StringSliceVar(&e.Aliases, "alias", []string{}, "Add a name in the network")
	fs.Var(&addressList{&local}, "link-local-ip", "Add a link-local address")
	fs.StringSliceVar(&driver, "driver-opt", []string{}, "Set an option of the driver")
	fs.IntVar(&e.GwPriority, "gw-priority", 0, "The network with the highest has the default gateway")
	return c
}

func address(ip net.IP) netip.Addr {
	a, _ := netip.AddrFromSlice(ip)
	return a.Unmap()
}

// Disconnect is `dhow network disconnect`.
func Disconnect(a *cli.App) *cobra.Command {
	var force bool
	c := &cobra.Command{
		Use: "disconnect [OPTIONS] NETWORK CONTAINER", Short: "Disconnect a container from a network", Args: cli.Exact(2),
		ValidArgsFunction: cli.CompletedEach(complete.Networks(a), complete.Containers(a, nil)),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := a.Client()
			if err != nil {
				return err
			}
			_, err = c.NetworkDisconnect(cmd.Context(), args[0], client.NetworkDisconnectOptions{Container: args[1], Force: force})
			return err
		},
	}
	c.Flags().BoolVarP(&force, "force", "f", false, "Disconnect it whatever comes")
	return c
}
