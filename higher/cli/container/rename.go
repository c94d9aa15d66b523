package container

import (
	"errors"
	"strings"

	"github.com/moby/moby/client"
	"github.com/spf13/cobra"

	"github.com/dhow-containers/dhow/higher/cli"
)

// Rename is `dhow rename`.
func Rename(a *cli.App) *cobra.Command {
	c := &cobra.Command{
		Use: "rename CONTAINER NEW_NAME", Short: "Rename a container", Args: cli.Exact(2), ValidArgsFunction: cli.CompletedFirst(all(a)),
		RunE: func(cmd *cobra.Command, args []string) error {
			from, to := strings.TrimSpace(args[0]), strings.TrimSpace(args[1])
			if from == "" || to == "" {
				return errors.New("neither old nor new names may be empty")
			}
			c, err := a.Client()
			if err != nil {
				return err
			}
			_, err = c.ContainerRename(cmd.Context(), from, client.ContainerRenameOptions{NewName: to})
			return err
		},
	}
	return cli.Aliased(c, "container rename", "rename")
}
