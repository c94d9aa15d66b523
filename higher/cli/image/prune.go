package image

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/moby/moby/client"
	"github.com/spf13/cobra"

	"github.com/dhow-containers/dhow/higher/cli"
	"github.com/dhow-containers/dhow/higher/cli/prune"
)

// Prune is `dhow image prune`.
func Prune(a *cli.App) *cobra.Command {
	return prune.Command(a, prune.Noun{
		Short: "Remove unused images", Warning: "WARNING! This will remove all dangling images.", Filters: `"until=<timestamp>", "label=…"`,
		AllHelp: "Remove all that no container uses, not just those without a name", AllWarning: "WARNING! This will remove all images without at least one container associated to them.",
		Do: func(ctx context.Context, a *cli.App, f client.Filters, every bool) (prune.Report, error) {
			return PruneAll(ctx, a, every, f)
		},
	})
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
