package image

import (
	"context"
	"errors"
	"fmt"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/client"
	"github.com/spf13/cobra"

	"github.com/dhow-containers/dhow/higher/cli"
	"github.com/dhow-containers/dhow/higher/cli/complete"
	"github.com/dhow-containers/dhow/higher/cli/opts"
)

// Remove is `dhow rmi` and `dhow image rm`.
func Remove(a *cli.App) *cobra.Command {
	o := client.ImageRemoveOptions{}
	var noPrune bool
	var platforms []string
	c := &cobra.Command{
		Use: "rm [OPTIONS] IMAGE [IMAGE...]", Short: "Remove images", Args: cli.AtLeast(1), ValidArgsFunction: cli.Completed(complete.Images(a)),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.PruneChildren = !noPrune
			for _, s := range platforms {
				p, err := opts.Platform(s)
				if err != nil {
					return err
				}
				o.Platforms = append(o.Platforms, *p)
			}
			return remove(cmd.Context(), a, args, o)
		},
	}
	fs := c.Flags()
	fs.BoolVarP(&o.Force, "force", "f", false, "Remove it even if it has several names")
	fs.BoolVar(&noPrune, "no-prune", false, "Leave parents that have no name")
	fs.StringSliceVar(&platforms, "platform", nil, `Remove only this platform ("os[/arch[/variant]]")`)
	return cli.Aliased(c, "image rm", "image remove", "rmi")
}

func remove(ctx context.Context, a *cli.App, names []string, o client.ImageRemoveOptions) error {
	c, err := a.Client()
	if err != nil {
		return err
	}
	var errs []error
	fatal := false
	for _, n := range names {
		r, err := c.ImageRemove(ctx, n, o)
		if err != nil {
			fatal = fatal || !errdefs.IsNotFound(err)
			errs = append(errs, err)
		}
		for _, d := range r.Items {
			if d.Deleted != "" {
				fmt.Fprintln(a.Out, "Deleted:", d.Deleted)
			} else {
				fmt.Fprintln(a.Out, "Untagged:", d.Untagged)
			}
		}
	}
	err = errors.Join(errs...)
	if err != nil && o.Force && !fatal {
		fmt.Fprintln(a.Err, err)
		return nil
	}
	return err
}
