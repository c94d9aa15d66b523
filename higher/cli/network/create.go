package network

import (
	"fmt"
	"net"

	"github.com/moby/moby/client"
	"github.com/spf13/cobra"

	"github.com/dhow-containers/dhow/higher/cli"
	"github.com/dhow-containers/dhow/higher/cli/opts"
)

// Create is `dhow network create`.
func Create(a *cli.App) *cobra.Command {
	var o client.NetworkCreateOptions
	var labels []string
	var v4, v6 bool
	var f ipamFlags
	c := &cobra.Command{
		Use: "create [OPTIONS] NETWORK", Short: "Make a network", Args: cli.Exact(1), ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if o.IPAM, err = f.ipam(); err != nil {
				return err
			}
			o.Labels = opts.Pairs(labels)
			if cmd.Flags().Changed("ipv4") {
				o.EnableIPv4 = &v4
			}
			if cmd.Flags().Changed("ipv6") {
				o.EnableIPv6 = &v6
			}
			c, err := a.Client()
			if err != nil {
				return err
			}
			r, err := c.NetworkCreate(cmd.Context(), args[0], o)
			if err != nil {
				return err
			}
			fmt.Fprintln(a.Out, r.ID)
			return nil
		},
	}
	fs := c.Flags()
	fs.StringVarP(&o.Driver, "driver", "d", "bridge", "Driver of the network")
	opts.Map(fs, &o.Options, "opt", "o", "Set an option of the driver", nil)
	opts.List(fs, &labels, "label", "", "Set a label", opts.Label)
	fs.BoolVar(&o.Internal, "internal", false, "Leave the network without a way out")
	fs.BoolVar(&v4, "ipv4", true, "Give out IPv4 addresses")
	fs.BoolVar(&v6, "ipv6", false, "Give out IPv6 addresses")
	fs.BoolVar(&o.Attachable, "attachable", false, "Let containers be attached by hand")
	fs.BoolVar(&o.Ingress, "ingress", false, "Make the routing mesh of a swarm")
	fs.StringVar(&o.Scope, "scope", "", "Scope of the network")
	fs.BoolVar(&o.ConfigOnly, "config-only", false, "Make a configuration for other networks only")
	fs.StringVar(&o.ConfigFrom, "config-from", "", "Take the configuration of another network")
	f.register(c)
	cli.CompletedFlag(c, "driver", cli.Fixed("bridge", "host", "none"))
	return c
}

// ipamFlags are how addresses are given out.
type ipamFlags struct {
	driver   string
	subnets  []string
	ranges   []string
	gateways []net.IP
	aux      map[string]string
	options  map[string]string
}

func (f *ipamFlags) register(c *cobra.Command) {
	fs := c.Flags()
	fs.StringVar(&f.driver, "ipam-driver", "default", "Driver that gives out addresses")
	fs.StringSliceVar(&f.subnets, "subnet", nil, "Subnet of the network (10.1.0.0/16)")
	fs.StringSliceVar(&f.ranges, "ip-range", nil, "Part of the subnet that addresses of containers come from")
	fs.Var(&addressList{&f.gateways}, "gateway", "Address of the gateway")
	opts.Map(fs, &f.aux, "aux-address", "", "Leave an address to something else (NAME=IP)", nil)
	opts.Map(fs, &f.options, "ipam-opt", "", "Set an option of the address driver", nil)
}
