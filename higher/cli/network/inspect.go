package network

import (
	"github.com/moby/moby/client"
	"github.com/spf13/cobra"

	"github.com/dhow-containers/dhow/higher/cli"
	"github.com/dhow-containers/dhow/higher/cli/complete"
	"github.com/dhow-containers/dhow/higher/cli/format"
	"github.com/dhow-containers/dhow/higher/cli/inspect"
)

// Inspect is `dhow network inspect`.
func Inspect(a *cli.App) *cobra.Command {
	var source string
	var verbose bool
	c := &cobra.Command{
		Use: "inspect [OPTIONS] NETWORK [NETWORK...]", Short: "Show all about networks", Args: cli.AtLeast(1), ValidArgsFunction: cli.Completed(complete.Networks(a)),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := a.Client()
			if err != nil {
				return err
			}
			return inspect.Each(a.Out, args, source, func(name string) (format.Inspected, error) {
				r, err := c.NetworkInspect(cmd.Context(), name, client.NetworkInspectOptions{Verbose: verbose})
				return format.Inspected{Value: r.Network, Raw: r.Raw}, err
			})
		},
	}
	inspect.Format(c, &source)
	c.Flags().BoolVarP(&verbose, "verbose", "v", false, "Show what helps to find faults, too")
	return c
}
