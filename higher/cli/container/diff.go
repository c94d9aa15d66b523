package container

import (
	"errors"
	"fmt"

	"github.com/moby/moby/client"
	"github.com/spf13/cobra"

	"github.com/dhow-containers/dhow/higher/cli"
)

// Diff is `dhow diff`.
func Diff(a *cli.App) *cobra.Command {
	c := &cobra.Command{
		Use: "diff CONTAINER", Short: "Show how the files of a container differ from its image", Args: cli.Exact(1), ValidArgsFunction: cli.CompletedFirst(all(a)),
		RunE: func(cmd *cobra.Command, args []string) error {
			if args[0] == "" {
				return errors.New("Container name cannot be empty")
			}
			c, err := a.Client()
			if err != nil {
				return err
			}
			r, err := c.ContainerDiff(cmd.Context(), args[0], client.ContainerDiffOptions{})
			if err != nil {
				return err
			}
			for _, f := range r.Changes {
				fmt.Fprintln(a.Out, f.Kind, f.Path)
			}
			return nil
		},
	}
	return cli.Aliased(c, "container diff", "diff")
}
