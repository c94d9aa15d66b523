package container

import (
	"context"
	"fmt"
	"strings"

	"github.com/moby/moby/client"
	"github.com/spf13/cobra"

	"github.com/dhow-containers/dhow/higher/cli"
	"github.com/dhow-containers/dhow/higher/cli/opts"
	"github.com/dhow-containers/dhow/higher/cli/prune"
)

// Prune is `dhow container prune`.
func Prune(a *cli.App) *cobra.Command {
	var f client.Filters
	var force bool
	c := &cobra.Command{
		Use: "prune [OPTIONS]", Short: "Remove all stopped containers", Args: cli.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return prune.Run(cmd.Context(), a, force, "WARNING! This will remove all stopped containers.", func(ctx context.Context) (prune.Report, error) {
				return PruneAll(ctx, a, f)
			})
		},
	}
	c.Flags().BoolVarP(&force, "force", "f", false, "Do not ask")
	f = opts.Filter(c.Flags(), "", `Which ones ("until=<timestamp>", "label=…")`)
	return c
}

// PruneAll removes stopped containers.
func PruneAll(ctx context.Context, a *cli.App, f client.Filters) (prune.Report, error) {
	c, err := a.Client()
	if err != nil {
		return prune.Report{}, err
	}
	r, err := c.ContainerPrune(ctx, client.ContainerPruneOptions{Filters: prune.Filters(a, f)})
	if err != nil {
		return prune.Report{}, err
	}
	text := ""
	if len(r.Report.ContainersDeleted) > 0 {
		text = fmt.Sprintf("Deleted Containers:\n%s\n", strings.Join(r.Report.ContainersDeleted, "\n"))
	}
	return prune.Report{Text: text, Space: r.Report.SpaceReclaimed}, nil
}
