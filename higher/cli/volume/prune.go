package volume

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/moby/moby/client"
	"github.com/spf13/cobra"

	"github.com/dhow-containers/dhow/higher/cli"
	"github.com/dhow-containers/dhow/higher/cli/opts"
	"github.com/dhow-containers/dhow/higher/cli/prune"
)

// Prune is `dhow volume prune`.
func Prune(a *cli.App) *cobra.Command {
	var f client.Filters
	var force, every bool
	c := &cobra.Command{
		Use: "prune [OPTIONS]", Short: "Remove unused volumes", Args: cli.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			warning := "WARNING! This will remove anonymous local volumes not used by at least one container."
			if every {
				if _, there := f["all"]; there {
					return errors.New("conflicting options: cannot specify both --all and --filter all=1")
				}
				warning = "WARNING! This will remove all local volumes not used by at least one container."
				f.Add("all", "true")
			}
			return prune.Run(cmd.Context(), a, force, warning, func(ctx context.Context) (prune.Report, error) { return PruneAll(ctx, a, f) })
		},
	}
	c.Flags().BoolVarP(&force, "force", "f", false, "Do not ask")
	c.Flags().BoolVarP(&every, "all", "a", false, "Remove those that have a name, too")
	f = opts.Filter(c.Flags(), "", `Which ones ("label=<label>")`)
	return c
}

// PruneAll removes volumes that no container uses.
func PruneAll(ctx context.Context, a *cli.App, f client.Filters) (prune.Report, error) {
	c, err := a.Client()
	if err != nil {
		return prune.Report{}, err
	}
	r, err := c.VolumePrune(ctx, client.VolumePruneOptions{Filters: prune.Filters(a, f)})
	if err != nil || len(r.Report.VolumesDeleted) == 0 {
		return prune.Report{}, err
	}
	return prune.Report{Text: fmt.Sprintf("Deleted Volumes:\n%s\n", strings.Join(r.Report.VolumesDeleted, "\n")), Space: r.Report.SpaceReclaimed}, nil
}
