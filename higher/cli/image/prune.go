package image

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/moby/moby/client"
	"github.com/spf13/cobra"

	"github.com/dhow-containers/dhow/higher/cli"
	"github.com/dhow-containers/dhow/higher/cli/opts"
	"github.com/dhow-containers/dhow/higher/cli/prune"
)

// Prune is `dhow image prune`.
func Prune(a *cli.App) *cobra.Command {
	var f client.Filters
	var force, every bool
	c := &cobra.Command{
		Use: "prune [OPTIONS]", Short: "Remove unused images", Args: cli.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			warning := "WARNING! This will remove all dangling images."
			if every {
				warning = "WARNING! This will remove all images without at least one container associated to them."
			}
			return prune.Run(cmd.Context(), a, force, warning, func(ctx context.Context) (prune.Report, error) {
				return PruneAll(ctx, a, every, f)
			})
		},
	}
	c.Flags().BoolVarP(&force, "force", "f", false, "Do not ask")
	c.Flags().BoolVarP(&every, "all", "a", false, "Remove all that no container uses, not just those without a name")
	f = opts.Filter(c.Flags(), "", `Which ones ("until=<timestamp>", "label=…")`)
	return c
}

// PruneAll removes images without a name, or all that no container uses.
func PruneAll(ctx context.Context, a *cli.App, every bool, f client.Filters) (prune.Report, error) {
	c, err := a.Client()
	if err != nil {
		return prune.Report{}, err
	}
	r, err := c.ImagePrune(ctx, client.ImagePruneOptions{Filters: prune.Filters(a, f).Add("dangling", strconv.FormatBool(!every))})
	if err != nil {
		return prune.Report{}, err
	}
	var b strings.Builder
	for i, d := range r.Report.ImagesDeleted {
		if i == 0 {
			b.WriteString("Deleted Images:\n")
		}
		if d.Untagged != "" {
			fmt.Fprintln(&b, "untagged:", d.Untagged)
		} else {
			fmt.Fprintln(&b, "deleted:", d.Deleted)
		}
	}
	return prune.Report{Text: b.String(), Space: r.Report.SpaceReclaimed}, nil
}
