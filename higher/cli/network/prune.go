package network

import (
	"context"

	"github.com/moby/moby/client"
	"github.com/spf13/cobra"

	"github.com/dhow-containers/dhow/higher/cli"
	"github.com/dhow-containers/dhow/higher/cli/prune"
)

// Prune is `dhow network prune`, which frees no space worth telling.
func Prune(a *cli.App) *cobra.Command {
	return prune.Command(a, prune.Noun{
		Short: "Remove all unused networks", Warning: "WARNING! This will remove all custom networks not used by at least one container.",
		Filters: `"until=<timestamp>", "label=…"`, Silent: true,
		Do: func(ctx context.Context, a *cli.App, f client.Filters, _ bool) (prune.Report, error) {
			return PruneAll(ctx, a, f)
		},
	})
}

// PruneAll removes networks without containers.
func PruneAll(ctx context.Context, a *cli.App, f client.Filters) (prune.Report, error) {
	c, err := a.Client()
	if err != nil {
		return prune.Report{}, err
	}
	r, err := c.NetworkPrune(ctx, client.NetworkPruneOptions{Filters: prune.Filters(a, f)})
	return prune.Removed("Networks", r.Report.NetworksDeleted, 0), err
}
