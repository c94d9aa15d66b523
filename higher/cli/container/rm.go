package container

import (
	"context"
	"errors"
	"strings"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/client"
	"github.com/spf13/cobra"

	"github.com/dhow-containers/dhow/higher/cli"
)

// Remove is `dhow rm`.
func Remove(a *cli.App) *cobra.Command {
	var o client.ContainerRemoveOptions
	c := &cobra.Command{
		Use: "rm [OPTIONS] CONTAINER [CONTAINER...]", Short: "Remove containers", Args: cli.AtLeast(1), ValidArgsFunction: cli.Completed(all(a)),
		RunE: func(cmd *cobra.Command, args []string) error {
			gone := func(err error) bool { return o.Force && errdefs.IsNotFound(err) }
			return eachBut(cmd.Context(), a, args, gone, func(ctx context.Context, c *client.Client, id string) error {
				if id = strings.Trim(id, "/"); id == "" {
					return errors.New("container name cannot be empty")
				}
				_, err := c.ContainerRemove(ctx, id, o)
				return err
			})
		},
	}
	fs := c.Flags()
	fs.BoolVarP(&o.RemoveVolumes, "volumes", "v", false, "Remove the anonymous volumes, too")
	fs.BoolVarP(&o.RemoveLinks, "link", "l", false, "Remove the link of that name")
	fs.BoolVarP(&o.Force, "force", "f", false, "Kill and remove a container that runs")
	return cli.Aliased(c, "container rm", "container remove", "rm")
}
