package image

import (
	"os"
	"strings"

	"github.com/moby/moby/client"
	"github.com/spf13/cobra"

	"github.com/dhow-containers/dhow/higher/cli"
	"github.com/dhow-containers/dhow/higher/cli/opts"
	"github.com/dhow-containers/dhow/higher/cli/transfer"
)

// Import is `dhow import`.
func Import(a *cli.App) *cobra.Command {
	var o client.ImageImportOptions
	var platform string
	c := &cobra.Command{
		Use: "import [OPTIONS] file|URL|- [REPOSITORY[:TAG]]", Short: "Make an image of a file system in a tar archive", Args: cli.AtLeast(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			source, name := client.ImageImportSource{SourceName: args[0]}, ""
			if len(args) > 1 {
				name = args[1]
			}
			switch {
			case args[0] == "-":
				source.Source = a.In
			case !strings.HasPrefix(args[0], "http://") && !strings.HasPrefix(args[0], "https://"):
				f, err := os.Open(args[0])
				if err != nil {
					return err
				}
				defer f.Close()
				source = client.ImageImportSource{Source: f, SourceName: "-"}
			}
			if platform != "" {
				p, err := opts.Platform(platform)
				if err != nil {
					return err
				}
				o.Platform = *p
			}
			c, err := a.Client()
			if err != nil {
				return err
			}
			r, err := c.ImageImport(cmd.Context(), source, name, o)
			if err != nil {
				return err
			}
			defer r.Close()
			return transfer.Display(r, a.Out, nil)
		},
	}
	fs := c.Flags()
	opts.List(fs, &o.Changes, "change", "c", "Apply an instruction of a Dockerfile to the image", nil)
	fs.StringVarP(&o.Message, "message", "m", "", "Message")
	fs.StringVar(&platform, "platform", "", "Platform of the image")
	return cli.Aliased(c, "image import", "import")
}
