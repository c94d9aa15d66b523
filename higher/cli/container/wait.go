package container

import (
	"errors"
	"fmt"

	"github.com/moby/moby/client"
	"github.com/spf13/cobra"

	"github.com/dhow-containers/dhow/higher/cli"
)

// Wait is `dhow wait`.
func Wait(a *cli.App) *cobra.Command {
	c := &cobra.Command{
		Use: "wait CONTAINER [CONTAINER...]", Short: "Wait until containers stop, and print their exit codes", Args: cli.AtLeast(1), ValidArgsFunction: cli.Completed(all(a)),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := a.Client()
			if err != nil {
				return err
			}
			var errs []error
			for _, id := range args {
				w := c.ContainerWait(cmd.Context(), id, client.ContainerWaitOptions{})
				select {
				case r := <-w.Result:
					fmt.Fprintln(a.Out, r.StatusCode)
				case err := <-w.Error:
					errs = append(errs, err)
				}
			}
			return errors.Join(errs...)
		},
	}
	return cli.Aliased(c, "container wait", "wait")
}
