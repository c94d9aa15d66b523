package container

import (
	"context"

	"github.com/moby/moby/client"
	"github.com/spf13/cobra"

	"github.com/dhow-containers/dhow/higher/cli"
	"github.com/dhow-containers/dhow/higher/cli/prune"
)

// Prune is `dhow container prune`.
func Prune(a *cli.App) *cobra.Command {
	return prune.Command(a, prune.Noun{
		Short: "Remove all stopped containers", Warning: "WARNING! This will remove all stopped containers.", Filters: `"until=<timestamp>", "label=…"`,
		Do: func(ctx context.Context, a *cli.App, f client.Filters, _ bool) (prune.Report, error) {
			return PruneAll(ctx, a, f)
		},
	})
}

// PruneAll removes stopped containers.
func PruneAll(ctx context.Context, a *cli.App, f client.Filters) (prune.Report, error) {
	c, err := a.Client()
	if err != nil {
		return prune.Report{}, err
	}
	r, err := c.ContainerPrune(ctx, client.ContainerPruneOptions{Filters: prune.Filters(a, f)})
	return prune.Removed("Containers", r.Report.ContainersDeleted, r.Report.SpaceReclaimed), err
}
