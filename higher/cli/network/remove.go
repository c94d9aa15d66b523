package network

import (
	"fmt"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/client"
	"github.com/spf13/cobra"

	"github.com/dhow-containers/dhow/higher/cli"
	"github.com/dhow-containers/dhow/higher/cli/complete"
)

// Remove is `dhow network rm`.
func Remove(a *cli.App) *cobra.Command {
	var force bool
	c := &cobra.Command{
		Use: "rm NETWORK [NETWORK...]", Short: "Remove networks", Args: cli.AtLeast(1), ValidArgsFunction: cli.Completed(complete.Networks(a)),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := a.Client()
			if err != nil {
				return err
			}
			failed := false
			for _, n := range args {
				// Asked as docker does: the network behind published ports of a swarm is not removed by mistake.
				if r, err := c.NetworkInspect(cmd.Context(), n, client.NetworkInspectOptions{}); err == nil && r.Network.Ingress {
					yes, err := a.Confirm(cmd.Context(), "WARNING! Services of the swarm are reached through this network.\nAre you sure you want to continue?")
					if err != nil {
						return err
					}
					if !yes {
						continue
					}
				}
				if _, err := c.NetworkRemove(cmd.Context(), n, client.NetworkRemoveOptions{}); err != nil {
					if force && errdefs.IsNotFound(err) {
						continue
					}
					fmt.Fprintln(a.Err, err)
					failed = true
					continue
				}
				fmt.Fprintln(a.Out, n)
			}
			if failed {
				return &cli.StatusError{Code: 1, Message: "exit status 1"}
			}
			return nil
		},
	}
	c.Flags().BoolVarP(&force, "force", "f", false, "One that is not there is no error")
	return cli.Aliased(c, "network rm", "network remove")
}
