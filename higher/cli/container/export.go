package container

import (
	"github.com/moby/moby/client"
	"github.com/spf13/cobra"

	"github.com/dhow-containers/dhow/higher/cli"
)

// Export is `dhow export`.
func Export(a *cli.App) *cobra.Command {
	var output string
	c := &cobra.Command{
		Use: "export [OPTIONS] CONTAINER", Short: "Write the files of a container as a tar archive", Args: cli.Exact(1), ValidArgsFunction: cli.CompletedFirst(all(a)),
		RunE: func(cmd *cobra.Command, args []string) error {
			f, err := cli.OpenOutput(a, output)
			if err != nil {
				return err
			}
			defer f.Discard()
			c, err := a.Client()
			if err != nil {
				return err
			}
			r, err := c.ContainerExport(cmd.Context(), args[0], client.ContainerExportOptions{})
			if err != nil {
				return err
			}
			defer r.Close()
			return f.Fill(r)
		},
	}
	c.Flags().StringVarP(&output, "output", "o", "", "Write to a file instead of standard output")
	return cli.Aliased(c, "container export", "export")
}
