package image

import (
	"errors"
	"io"
	"os"

	"github.com/moby/moby/client"
	"github.com/spf13/cobra"

	"github.com/dhow-containers/dhow/higher/cli"
	"github.com/dhow-containers/dhow/higher/cli/transfer"
)

// Load is `dhow load`.
func Load(a *cli.App) *cobra.Command {
	var input string
	var quiet bool
	var platforms []string
	c := &cobra.Command{
		Use: "load [OPTIONS]", Short: "Load images from a tar archive", Args: cli.NoArgs, ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var from io.Reader = a.In
			if input != "" {
				f, err := os.Open(input)
				if err != nil {
					return err
				}
				defer f.Close()
				from = f
			} else if a.In.IsTerminal() {
				return errors.New("requested load from stdin, but stdin is empty")
			}
			list, err := parsePlatforms(platforms)
			if err != nil {
				return err
			}
			var how []client.ImageLoadOption
			if quiet || !a.Out.IsTerminal() {
				how = append(how, client.ImageLoadWithQuiet(true))
			}
			if len(list) > 0 {
				how = append(how, client.ImageLoadWithPlatforms(list...))
			}
			c, err := a.Client()
			if err != nil {
				return err
			}
			r, err := c.ImageLoad(cmd.Context(), from, how...)
			if err != nil {
				return err
			}
			defer r.Close()
			return transfer.Display(r, a.Out, nil)
		},
	}
	fs := c.Flags()
	fs.StringVarP(&input, "input", "i", "", "Read from a file instead of standard input")
	fs.BoolVarP(&quiet, "quiet", "q", false, "Do not show how it goes")
	fs.StringSliceVar(&platforms, "platform", nil, `Only this platform ("os[/arch[/variant]]")`)
	return cli.Aliased(c, "image load", "load")
}
