package volume

import (
	"github.com/moby/moby/client"
	"github.com/spf13/cobra"

	"github.com/dhow-containers/dhow/higher/cli"
	"github.com/dhow-containers/dhow/higher/cli/complete"
	"github.com/dhow-containers/dhow/higher/cli/format"
	"github.com/dhow-containers/dhow/higher/cli/inspect"
)

// Inspect is `dhow volume inspect`.
func Inspect(a *cli.App) *cobra.Command {
	var source string
	c := &cobra.Command{
		Use: "inspect [OPTIONS] VOLUME [VOLUME...]", Short: "Show all about volumes", Args: cli.AtLeast(1), ValidArgsFunction: cli.Completed(complete.Volumes(a)),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := a.Client()
			if err != nil {
				return err
			}
			return inspect.Each(a.Out, args, source, func(name string) (format.Inspected, error) {
				r, err := c.VolumeInspect(cmd.Context(), name, client.VolumeInspectOptions{})
				return format.Inspected{Value: r.Volume}, err
			})
		},
	}
	inspect.Format(c, &source)
	return c
}
