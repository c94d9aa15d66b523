package manifest

import (
	"context"
	"errors"
	"fmt"

	"github.com/containerd/errdefs"
	"github.com/distribution/reference"
	"github.com/spf13/cobra"

	"github.com/dhow-containers/dhow/higher/cli"
)

// Create is `dhow manifest create`.
func Create(a *cli.App) *cobra.Command {
	var amend, insecure bool
	c := &cobra.Command{
		Use: "create MANIFEST_LIST MANIFEST [MANIFEST...]", Short: "Make a local manifest list", Args: cli.AtLeast(2), ValidArgsFunction: cli.CompletedFirst(names(a)),
		RunE: func(cmd *cobra.Command, args []string) error {
			list, err := parse(args[0])
			if err != nil {
				return fmt.Errorf("error parsing name for manifest list %s: %w", args[0], err)
			}
			_, err = store(a).List(list)
			switch {
			case errdefs.IsNotFound(err):
			case err != nil:
				return err
			case !amend:
				return errors.New("refusing to amend an existing manifest list with no --amend flag")
			}
			for _, name := range args[1:] {
				if err := add(cmd.Context(), a, list, name, insecure); err != nil {
					return err
				}
			}
			fmt.Fprintln(a.Out, "Created manifest list", list)
			return nil
		},
	}
	c.Flags().BoolVarP(&amend, "amend", "a", false, "Add to a list that is there already")
	insecureFlag(c, &insecure)
	return c
}

// add puts an image into a list. What was said about one that is in there already stays.
func add(ctx context.Context, a *cli.App, list reference.Named, name string, insecure bool) error {
	image, err := parse(name)
	if err != nil {
		return err
	}
	i, err := store(a).Get(list, image)
	if err != nil && !errdefs.IsNotFound(err) {
		return err
	}
	if err != nil || len(i.Raw) == 0 {
		if i, err = registries(a, insecure).Image(ctx, image); err != nil {
			return err
		}
	}
	return store(a).Save(list, image, i)
}
