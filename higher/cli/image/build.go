package image

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/dhow-containers/dhow/higher/cli"
)

// Build says that there are no builds yet. It takes any flags, so that this is what is said, not that a flag is unknown.
func Build(*cli.App) *cobra.Command {
	c := &cobra.Command{
		Use: "build [OPTIONS] PATH | URL | -", Short: "Build an image (not there yet)", DisableFlagParsing: true,
		RunE: func(c *cobra.Command, args []string) error {
			for _, a := range args {
				if a == "--help" || a == "-h" {
					return c.Help()
				}
			}
			return errors.New("dhow cannot build images yet: builds come in a later version; pull an image, or make one with dhow import or dhow commit")
		},
	}
	return cli.Aliased(c, "image build", "build")
}
