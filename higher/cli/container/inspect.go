package container

import (
	"github.com/moby/moby/client"
	"github.com/spf13/cobra"

	"github.com/dhow-containers/dhow/higher/cli"
	"github.com/dhow-containers/dhow/higher/cli/format"
	"github.com/dhow-containers/dhow/higher/cli/inspect"
)

// Inspect is `dhow container inspect`.
func Inspect(a *cli.App) *cobra.Command {
	var source string
	var size bool
	c := &cobra.Command{
		Use: "inspect [OPTIONS] CONTAINER [CONTAINER...]", Short: "Show all about containers", Args: cli.AtLeast(1), ValidArgsFunction: cli.Completed(all(a)),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := a.Client()
			if err != nil {
				return err
			}
			return inspect.Each(a.Out, args, source, func(name string) (format.Inspected, error) {
				r, err := c.ContainerInspect(cmd.Context(), name, client.ContainerInspectOptions{Size: size})
				return format.Inspected{Value: r.Container, Raw: r.Raw}, err
			})
		},
	}
	inspect.Format(c, &source)
	c.Flags().BoolVarP(&size, "size", "s", false, "Show the size of the files, too")
	return c
}
