package image

import (
	"errors"
	"fmt"

	"github.com/distribution/reference"
	"github.com/spf13/cobra"

	"github.com/dhow-containers/dhow/higher/cli"
	"github.com/dhow-containers/dhow/higher/cli/stream"
	"github.com/dhow-containers/dhow/higher/cli/transfer"
)

// Pull is `dhow pull`.
func Pull(a *cli.App) *cobra.Command {
	var o transfer.PullOptions
	var quiet bool
	c := &cobra.Command{
		Use: "pull [OPTIONS] NAME[:TAG|@DIGEST]", Short: "Get an image from a registry", Args: cli.Exact(1), ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, args []string) error {
			ref, err := named(a, args[0], o.All, quiet)
			if err != nil {
				return err
			}
			o.Image, o.Show = reference.FamiliarString(ref), a.Out
			if quiet {
				o.Show = stream.Discard()
			}
			if err := transfer.Pull(cmd.Context(), a, o); err != nil {
				return err
			}
			fmt.Fprintln(a.Out, ref.String())
			return nil
		},
	}
	fs := c.Flags()
	fs.BoolVarP(&o.All, "all-tags", "a", false, "Get all tags of the repository")
	fs.BoolVarP(&quiet, "quiet", "q", false, "Do not show how it goes")
	fs.StringVar(&o.Platform, "platform", "", "Which platform, if the image has several")
	fs.Bool("disable-content-trust", true, "Skip image verification")
	fs.MarkHidden("disable-content-trust")
	return cli.Aliased(c, "image pull", "pull")
}

// named reads the name of an image to move; without a tag it is the default one, which is said, unless all are meant.
func named(a *cli.App, name string, all, quiet bool) (reference.Named, error) {
	ref, err := reference.ParseNormalizedNamed(name)
	switch {
	case err != nil:
		return nil, err
	case all && !reference.IsNameOnly(ref):
		return nil, errors.New("tag can't be used with --all-tags/-a")
	case all || !reference.IsNameOnly(ref):
		return ref, nil
	}
	ref = reference.TagNameOnly(ref)
	if t, ok := ref.(reference.Tagged); ok && !quiet {
		fmt.Fprintln(a.Out, "Using default tag:", t.Tag())
	}
	return ref, nil
}
