package builder

import (
	"context"
	"fmt"
	"strings"

	"github.com/docker/go-units"
	"github.com/moby/moby/client"
	"github.com/spf13/cobra"

	"github.com/dhow-containers/dhow/higher/cli"
	"github.com/dhow-containers/dhow/higher/cli/image"
	"github.com/dhow-containers/dhow/higher/cli/opts"
	"github.com/dhow-containers/dhow/higher/cli/prune"
)

// Entries are the commands of `dhow builder`.
func Entries() []cli.Entry {
	return []cli.Entry{
		{Name: "build", Short: "Build an image (not there yet)", New: image.Build},
		{Name: "prune", Short: "Remove the cache of builds", New: Prune},
	}
}

// Prune is `dhow builder prune`.
func Prune(a *cli.App) *cobra.Command {
	o := client.BuildCachePruneOptions{}
	var force bool
	var keep int64
	c := &cobra.Command{
		Use: "prune", Short: "Remove the cache of builds", Args: cli.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.ReservedSpace = keep
			warning := "WARNING! This will remove all dangling build cache."
			if o.All {
				warning = "WARNING! This will remove all build cache."
			}
			if !force {
				yes, err := a.Confirm(cmd.Context(), warning+" Are you sure you want to continue?")
				if err != nil || !yes {
					return err
				}
			}
			r, err := PruneAll(cmd.Context(), a, o)
			if err != nil {
				return err
			}
			if r.Text != "" {
				fmt.Fprintln(a.Out, r.Text)
			}
			fmt.Fprintln(a.Out, "Total reclaimed space:", units.HumanSize(float64(r.Space)))
			return nil
		},
	}
	c.Flags().BoolVarP(&force, "force", "f", false, "Do not ask")
	c.Flags().BoolVarP(&o.All, "all", "a", false, "Remove all that is not in use")
	opts.Bytes(c.Flags(), &keep, "keep-storage", "", "Amount of disk to leave to the cache")
	o.Filters = opts.Filter(c.Flags(), "", `Which part ("until=24h")`)
	return c
}

// PruneAll removes the cache of builds.
func PruneAll(ctx context.Context, a *cli.App, o client.BuildCachePruneOptions) (prune.Report, error) {
	c, err := a.Client()
	if err != nil {
		return prune.Report{}, err
	}
	o.Filters = prune.Filters(a, o.Filters)
	r, err := c.BuildCachePrune(ctx, o)
	if err != nil {
		return prune.Report{}, err
	}
	text := ""
	if len(r.Report.CachesDeleted) > 0 {
		text = fmt.Sprintf("Deleted build cache objects:\n%s\n", strings.Join(r.Report.CachesDeleted, "\n"))
	}
	return prune.Report{Text: text, Space: r.Report.SpaceReclaimed}, nil
}
