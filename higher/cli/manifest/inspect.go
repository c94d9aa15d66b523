package manifest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/containerd/errdefs"
	"github.com/distribution/reference"
	"github.com/spf13/cobra"

	"github.com/dhow-containers/dhow/higher/cli"
	"github.com/dhow-containers/dhow/higher/cli/manifest/lists"
	"github.com/dhow-containers/dhow/higher/cli/manifest/remote"
)

// Inspect is `dhow manifest inspect`.
func Inspect(a *cli.App) *cobra.Command {
	var verbose, insecure bool
	c := &cobra.Command{
		Use: "inspect [OPTIONS] [MANIFEST_LIST] MANIFEST", Short: "Show a manifest or a manifest list", Args: cli.Range(1, 2), ValidArgsFunction: listAndImage(a),
		RunE: func(cmd *cobra.Command, args []string) error {
			ref, err := parse(args[len(args)-1])
			if err != nil {
				return err
			}
			if len(args) == 2 {
				return inLocal(a, args[0], ref, verbose)
			}
			return inspect(cmd.Context(), a, ref, verbose, insecure)
		},
	}
	c.Flags().BoolVarP(&verbose, "verbose", "v", false, "Show the images of a list, and what is known of them")
	insecureFlag(c, &insecure)
	return c
}

// inLocal shows an image of a local list.
func inLocal(a *cli.App, listName string, image reference.Named, verbose bool) error {
	list, err := parse(listName)
	if err != nil {
		return err
	}
	i, err := store(a).Get(list, image)
	if err != nil {
		return err
	}
	return showImage(a, i, verbose)
}

// inspect shows a local list, or else what the registry has.
func inspect(ctx context.Context, a *cli.App, ref reference.Named, verbose, insecure bool) error {
	all, err := store(a).List(ref)
	if err == nil {
		return showList(a, ref, all, verbose)
	}
	if !errdefs.IsNotFound(err) {
		return err
	}
	r := registries(a, insecure)
	i, err := r.Image(ctx, ref)
	if err == nil {
		return showImage(a, i, verbose)
	}
	if list := (*remote.ErrList)(nil); !errors.As(err, &list) {
		return err
	}
	if all, err = r.List(ctx, ref); err != nil {
		return err
	}
	return showList(a, ref, all, verbose)
}

func showImage(a *cli.App, i *lists.Image, verbose bool) error {
	if verbose {
		return show(a, i)
	}
	var b bytes.Buffer
	if err := json.Indent(&b, i.Manifest(), "", "\t"); err != nil {
		return err
	}
	fmt.Fprintln(a.Out, b.String())
	return nil
}

func showList(a *cli.App, ref reference.Named, images []*lists.Image, verbose bool) error {
	if verbose {
		return show(a, images)
	}
	_, raw, err := assemble(ref, images)
	if err != nil {
		return fmt.Errorf("failed to assemble ManifestDescriptor: %w", err)
	}
	fmt.Fprintln(a.Out, string(raw))
	return nil
}

func show(a *cli.App, v any) error {
	data, err := json.MarshalIndent(v, "", "\t")
	if err != nil {
		return err
	}
	fmt.Fprintln(a.Out, string(data))
	return nil
}
