package container

import (
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/moby/moby/client"
	"github.com/spf13/cobra"

	"github.com/dhow-containers/dhow/higher/cli"
)

// Top is `dhow top`.
func Top(a *cli.App) *cobra.Command {
	c := &cobra.Command{
		Use: "top CONTAINER [ps OPTIONS]", Short: "Show the processes of a container", Args: cli.AtLeast(1), ValidArgsFunction: cli.CompletedFirst(running(a)),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := a.Client()
			if err != nil {
				return err
			}
			r, err := c.ContainerTop(cmd.Context(), args[0], client.ContainerTopOptions{Arguments: args[1:]})
			if err != nil {
				return err
			}
			w := tabwriter.NewWriter(a.Out, 20, 1, 3, ' ', 0)
			fmt.Fprintln(w, strings.Join(r.Titles, "\t"))
			for _, p := range r.Processes {
				fmt.Fprintln(w, strings.Join(p, "\t"))
			}
			return w.Flush()
		},
	}
	c.Flags().SetInterspersed(false)
	return cli.Aliased(c, "container top", "top")
}
