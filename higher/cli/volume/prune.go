package volume

import (
	"context"
	"errors"

	"github.com/moby/moby/client"
	"github.com/spf13/cobra"

	"github.com/dhow-containers/dhow/higher/cli"
	"github.com/dhow-containers/dhow/higher/cli/prune"
)

// Prune is `dhow volume prune`.
func Prune(a *cli.App) *cobra.Command {
	return prune.Command(a, prune.Noun{
		Short: "Remove unused volumes", Warning: "WARNING! This will remove anonymous local volumes not used by at least one container.", Filters: `"label=<label>"`,
		AllHelp: "Remove those that have a name, too", AllWarning: "WARNING! This will remove all local volumes not used by at least one container.",
		Check: func(f client.Filters, every bool) error {
			if _, there := f["all"]; there && every {
				return errors.New("conflicting options: cannot specify both --all and --filter all=1")
			}
			return nil
		},
		Do: func(ctx context.Context, a *cli.App, f client.Filters, every bool) (prune.Report, error) {
			if every {
				f = f.Clone().Add("all", "true")
			}
			return PruneAll(ctx, a, f)
		},
	})
}

// PruneAll removes volumes that no container uses.
func PruneAll(ctx context.Context, a *cli.App, f client.Filters) (prune.Report, error) {
	c, err := a.Client()
	if err != nil {
		return prune.Report{}, err
	}
	r, err := c.VolumePrune(ctx, client.VolumePruneOptions{Filters: prune.Filters(a, f)})
	return prune.Removed("Volumes", r.Report.VolumesDeleted, r.Report.SpaceReclaimed), err
}
