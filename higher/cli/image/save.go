package image

import (
	"github.com/moby/moby/client"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/spf13/cobra"

	"github.com/dhow-containers/dhow/higher/cli"
	"github.com/dhow-containers/dhow/higher/cli/complete"
	"github.com/dhow-containers/dhow/higher/cli/opts"
)

// Save is `dhow save`.
func Save(a *cli.App) *cobra.Command {
	var output string
	var platforms []string
	c := &cobra.Command{
		Use: "save [OPTIONS] IMAGE [IMAGE...]", Short: "Write images as a tar archive", Args: cli.AtLeast(1), ValidArgsFunction: cli.Completed(complete.Images(a)),
		RunE: func(cmd *cobra.Command, args []string) error {
			list, err := parsePlatforms(platforms)
			if err != nil {
				return err
			}
			var how []client.ImageSaveOption
			if len(list) > 0 {
				how = append(how, client.ImageSaveWithPlatforms(list...))
			}
			f, err := cli.OpenOutput(a, output)
			if err != nil {
				return err
			}
			defer f.Discard()
			c, err := a.Client()
			if err != nil {
				return err
			}
			r, err := c.ImageSave(cmd.Context(), args, how...)
			if err != nil {
				return err
			}
			defer r.Close()
			return f.Fill(r)
		},
	}
	c.Flags().StringVarP(&output, "output", "o", "", "Write to a file instead of standard output")
	c.Flags().StringSliceVar(&platforms, "platform", nil, `Only this platform ("os[/arch[/variant]]")`)
	return cli.Aliased(c, "image save", "save")
}

func parsePlatforms(list []string) ([]ocispec.Platform, error) {
	var all []ocispec.Platform
	for _, s := range list {
		p, err := opts.Platform(s)
		if err != nil {
			return nil, err
		}
		all = append(all, *p)
	}
	return all, nil
}
