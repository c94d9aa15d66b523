package image

import (
	"github.com/moby/moby/client"
	"github.com/spf13/cobra"

	"github.com/dhow-containers/dhow/higher/cli"
	"github.com/dhow-containers/dhow/higher/cli/complete"
)

// Tag is `dhow tag`.
func Tag(a *cli.App) *cobra.Command {
	c := &cobra.Command{
		Use: "tag SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]", Short: "Give an image another name", Args: cli.Exact(2), ValidArgsFunction: cli.CompletedFirst(complete.Images(a)),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := a.Client()
			if err != nil {
				return err
			}
			_, err = c.ImageTag(cmd.Context(), client.ImageTagOptions{Source: args[0], Target: args[1]})
			return err
		},
	}
	return cli.Aliased(c, "image tag", "tag")
}
