package container

import (
	"context"

	"github.com/moby/moby/client"
	"github.com/spf13/cobra"

	"github.com/dhow-containers/dhow/higher/cli"
)

// Pause is `dhow pause`.
func Pause(a *cli.App) *cobra.Command {
	c := &cobra.Command{
		Use: "pause CONTAINER [CONTAINER...]", Short: "Freeze all processes of containers", Args: cli.AtLeast(1), ValidArgsFunction: cli.Completed(running(a)),
		RunE: func(cmd *cobra.Command, args []string) error {
			return each(cmd.Context(), a, args, func(ctx context.Context, c *client.Client, id string) error {
				_, err := c.ContainerPause(ctx, id, client.ContainerPauseOptions{})
				return err
			})
		},
	}
	return cli.Aliased(c, "container pause", "pause")
}

// Unpause is `dhow unpause`.
func Unpause(a *cli.App) *cobra.Command {
	c := &cobra.Command{
		Use: "unpause CONTAINER [CONTAINER...]", Short: "Let frozen containers go on", Args: cli.AtLeast(1), ValidArgsFunction: cli.Completed(paused(a)),
		RunE: func(cmd *cobra.Command, args []string) error {
			return each(cmd.Context(), a, args, func(ctx context.Context, c *client.Client, id string) error {
				_, err := c.ContainerUnpause(ctx, id, client.ContainerUnpauseOptions{})
				return err
			})
		},
	}
	return cli.Aliased(c, "container unpause", "unpause")
}
