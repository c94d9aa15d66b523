package network

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

// Prune is `dhow network prune`, which frees no space worth telling.
func Prune(a *cli.App) *cobra.Command {
	var f client.Filters
	var force bool
	c := &cobra.Command{
		Use: "prune [OPTIONS]", Short: "Remove all unused networks", Args: cli.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !force {
				yes, err := a.Confirm(cmd.Context(), "WARNING! This will remove all custom networks not used by at least one container.\nAre you sure you want to continue?")
				if err != nil || !yes {
					return err
				}
			}
			r, err := PruneAll(cmd.Context(), a, f)
			if err == nil && r.Text != "" {
				fmt.Fprintln(a.Out, r.Text)
			}
			return err
		},
	}
	c.Flags().BoolVarP(&force, "force", "f", false, "Do not ask")
	f = opts.Filter(c.Flags(), "", `Which ones ("until=<timestamp>", "label=…")`)
	return c
}

// PruneAll removes networks without containers.
func PruneAll(ctx context.Context, a *cli.App, f client.Filters) (prune.Report, error) {
	c, err := a.Client()
	if err != nil {
		return prune.Report{}, err
	}
	r, err := c.NetworkPrune(ctx, client.NetworkPruneOptions{Filters: prune.Filters(a, f)})
	if err != nil || len(r.Report.NetworksDeleted) == 0 {
		return prune.Report{}, err
	}
	return prune.Report{Text: fmt.Sprintf("Deleted Networks:\n%s\n", strings.Join(r.Report.NetworksDeleted, "\n"))}, nil
}
