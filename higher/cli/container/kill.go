package container

import (
	"context"

	"github.com/moby/moby/client"
	"github.com/spf13/cobra"

	"github.com/dhow-containers/dhow/higher/cli"
)

// Kill is `dhow kill`.
func Kill(a *cli.App) *cobra.Command {
	var signal string
	c := &cobra.Command{
		Use: "kill [OPTIONS] CONTAINER [CONTAINER...]", Short: "Kill containers", Args: cli.AtLeast(1), ValidArgsFunction: cli.Completed(running(a)),
		RunE: func(cmd *cobra.Command, args []string) error {
			return each(cmd.Context(), a, args, func(ctx context.Context, c *client.Client, id string) error {
				_, err := c.ContainerKill(ctx, id, client.ContainerKillOptions{Signal: signal})
				return err
			})
		},
	}
	c.Flags().StringVarP(&signal, "signal", "s", "", "Signal to send")
	return cli.Aliased(c, "container kill", "kill")
}
