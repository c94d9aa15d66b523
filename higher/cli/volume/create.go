package volume

import (
	"errors"
	"fmt"

	"github.com/moby/moby/client"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/dhow-containers/dhow/higher/cli"
	"github.com/dhow-containers/dhow/higher/cli/opts"
)

// clusterFlags are for volumes of a swarm. They are known, so that it is said what they are.
var clusterFlags = []struct{ kind, name string }{
	{"string", "availability"}, {"string", "group"}, {"bytes", "limit-bytes"}, {"bytes", "required-bytes"}, {"string", "scope"}, {"map", "secret"},
	{"string", "sharing"}, {"list", "topology-preferred"}, {"list", "topology-required"}, {"string", "type"},
}

func addClusterFlags(fs *pflag.FlagSet) {
	for _, f := range clusterFlags {
		opts.Var(fs, f.kind, f.name, "", "Of volumes in a swarm (not available)", func(string) error {
			return errors.New("volumes of a swarm are not supported")
		})
		fs.MarkHidden(f.name)
	}
}

// Create is `dhow volume create`.
func Create(a *cli.App) *cobra.Command {
	var o client.VolumeCreateOptions
	var labels []string
	c := &cobra.Command{
		Use: "create [OPTIONS] [VOLUME]", Short: "Make a volume", Args: cli.AtMost(1), ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				if o.Name != "" {
					return errors.New("conflicting options: cannot specify a volume-name through both --name and as a positional arg")
				}
				o.Name = args[0]
			}
			o.Labels = opts.Pairs(labels)
			c, err := a.Client()
			if err != nil {
				return err
			}
			r, err := c.VolumeCreate(cmd.Context(), o)
			if err != nil {
				return err
			}
			fmt.Fprintln(a.Out, r.Volume.Name)
			return nil
		},
	}
	fs := c.Flags()
	fs.StringVarP(&o.Driver, "driver", "d", "local", "Driver of the volume")
	fs.StringVar(&o.Name, "name", "", "Name of the volume")
	fs.MarkHidden("name")
	opts.Map(fs, &o.DriverOpts, "opt", "o", "Set an option of the driver", nil)
	opts.List(fs, &labels, "label", "", "Set a label", opts.Label)
	addClusterFlags(fs)
	return c
}

// Update is `dhow volume update`, which is about volumes of a swarm only.
func Update(*cli.App) *cobra.Command {
	c := &cobra.Command{
		Use: "update [OPTIONS] VOLUME", Short: "Change a volume of a swarm", Args: cli.Exact(1),
		RunE: func(*cobra.Command, []string) error {
			return errors.New("only volumes of a swarm can be changed, and this node is not part of one")
		},
	}
	opts.Var(c.Flags(), "string", "availability", "", "Availability in the swarm", func(string) error { return nil })
	return c
}
