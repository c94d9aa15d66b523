package volume

import (
	"errors"
	"fmt"

	"github.com/moby/moby/client"
	"github.com/spf13/cobra"

	"github.com/dhow-containers/dhow/higher/cli"
	"github.com/dhow-containers/dhow/higher/cli/complete"
)

// Remove is `dhow volume rm`.
func Remove(a *cli.App) *cobra.Command {
	var force bool
	c := &cobra.Command{
		Use: "rm [OPTIONS] VOLUME [VOLUME...]", Short: "Remove volumes", Args: cli.AtLeast(1), ValidArgsFunction: cli.Completed(complete.Volumes(a)),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := a.Client()
			if err != nil {
				return err
			}
			var errs []error
			for _, n := range args {
				if _, err := c.VolumeRemove(cmd.Context(), n, client.VolumeRemoveOptions{Force: force}); err != nil {
					errs = append(errs, err)
					continue
				}
				fmt.Fprintln(a.Out, n)
			}
			return errors.Join(errs...)
		},
	}
	c.Flags().BoolVarP(&force, "force", "f", false, "One that is not there is no error")
	return cli.Aliased(c, "volume rm", "volume remove")
}
