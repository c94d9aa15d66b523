package image

import (
	"bytes"

	"github.com/moby/moby/client"
	"github.com/spf13/cobra"

	"github.com/dhow-containers/dhow/higher/cli"
	"github.com/dhow-containers/dhow/higher/cli/complete"
	"github.com/dhow-containers/dhow/higher/cli/format"
	"github.com/dhow-containers/dhow/higher/cli/inspect"
	"github.com/dhow-containers/dhow/higher/cli/opts"
)

// Inspect is `dhow image inspect`.
func Inspect(a *cli.App) *cobra.Command {
	var source, platform string
	c := &cobra.Command{
		Use: "inspect [OPTIONS] IMAGE [IMAGE...]", Short: "Show all about images", Args: cli.AtLeast(1), ValidArgsFunction: cli.Completed(complete.Images(a)),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := a.Client()
			if err != nil {
				return err
			}
			var how []client.ImageInspectOption
			if platform != "" {
				p, err := opts.Platform(platform)
				if err != nil {
					return err
				}
				how = append(how, client.ImageInspectWithPlatform(p))
			}
			return inspect.Each(a.Out, args, source, func(name string) (format.Inspected, error) {
				var raw bytes.Buffer
				r, err := c.ImageInspect(cmd.Context(), name, append(how, client.ImageInspectWithRawResponse(&raw))...)
				return format.Inspected{Value: r.InspectResponse, Raw: raw.Bytes()}, err
			})
		},
	}
	inspect.Format(c, &source)
	c.Flags().StringVar(&platform, "platform", "", `Which platform ("os[/arch[/variant]]")`)
	return c
}
