package image

import (
	"encoding/json"
	"fmt"

	"github.com/distribution/reference"
	"github.com/moby/moby/api/types/auxprogress"
	"github.com/moby/moby/api/types/jsonstream"
	"github.com/moby/moby/client"
	"github.com/spf13/cobra"

	"github.com/dhow-containers/dhow/higher/cli"
	"github.com/dhow-containers/dhow/higher/cli/complete"
	"github.com/dhow-containers/dhow/higher/cli/opts"
	"github.com/dhow-containers/dhow/higher/cli/stream"
	"github.com/dhow-containers/dhow/higher/cli/transfer"
)

// Push is `dhow push`.
func Push(a *cli.App) *cobra.Command {
	var o client.ImagePushOptions
	var quiet bool
	var platform string
	c := &cobra.Command{
		Use: "push [OPTIONS] NAME[:TAG]", Short: "Put an image into a registry", Args: cli.Exact(1), ValidArgsFunction: cli.CompletedFirst(complete.Images(a)),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if platform != "" {
				if o.Platform, err = opts.Platform(platform); err != nil {
					return err
				}
			}
			ref, err := named(a, args[0], o.All, quiet)
			if err != nil {
				return err
			}
			if o.RegistryAuth, err = transfer.Auth(a, ref.String()); err != nil {
				return err
			}
			c, err := a.Client()
			if err != nil {
				return err
			}
			r, err := c.ImagePush(cmd.Context(), reference.FamiliarString(ref), o)
			if err != nil {
				return err
			}
			defer r.Close()
			show := a.Out
			if quiet {
				show = stream.Discard()
			}
			var notes []string
			err = transfer.Display(r, show, func(m jsonstream.Message) { notes = note(notes, m) })
			for _, n := range notes {
				fmt.Fprintln(a.Err, "NOTE:", n)
			}
			if err == nil && quiet {
				fmt.Fprintln(a.Out, ref.String())
			}
			return err
		},
	}
	fs := c.Flags()
	fs.BoolVarP(&o.All, "all-tags", "a", false, "Put all tags of the repository")
	fs.BoolVarP(&quiet, "quiet", "q", false, "Do not show how it goes")
	fs.StringVar(&platform, "platform", "", "Put only the manifest of one platform")
	fs.Bool("disable-content-trust", true, "Skip image signing")
	fs.MarkHidden("disable-content-trust")
	return cli.Aliased(c, "image push", "push")
}

// note adds what a message says about an image of several platforms that are not all there.
func note(notes []string, m jsonstream.Message) []string {
	if m.Aux == nil {
		return notes
	}
	var one auxprogress.ManifestPushedInsteadOfIndex
	if json.Unmarshal(*m.Aux, &one) == nil && one.ManifestPushedInsteadOfIndex {
		notes = append(notes, fmt.Sprintf("not all platforms of the image are here, so only one was pushed: %s -> %s", one.OriginalIndex.Digest, one.SelectedManifest.Digest))
	}
	var missing auxprogress.ContentMissing
	if json.Unmarshal(*m.Aux, &missing) == nil && missing.ContentMissing {
		notes = append(notes, "not all platforms of the image are here; --platform pushes a single one")
	}
	return notes
}
