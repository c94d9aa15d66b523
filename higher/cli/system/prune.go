package system

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/docker/go-units"
	"github.com/moby/moby/client"
	"github.com/spf13/cobra"

	"github.com/dhow-containers/dhow/higher/cli"
	"github.com/dhow-containers/dhow/higher/cli/builder"
	"github.com/dhow-containers/dhow/higher/cli/container"
	"github.com/dhow-containers/dhow/higher/cli/image"
	"github.com/dhow-containers/dhow/higher/cli/network"
	"github.com/dhow-containers/dhow/higher/cli/opts"
	"github.com/dhow-containers/dhow/higher/cli/prune"
	"github.com/dhow-containers/dhow/higher/cli/volume"
)

type pruneOptions struct {
	force, all, volumes bool

	filters client.Filters
}

// Prune is `dhow system prune`.
func Prune(a *cli.App) *cobra.Command {
	var o pruneOptions
	c := &cobra.Command{
		Use: "prune [OPTIONS]", Short: "Remove what is not used", Args: cli.NoArgs, ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error { return o.prune(cmd.Context(), a) },
	}
	fs := c.Flags()
	fs.BoolVarP(&o.force, "force", "f", false, "Do not ask")
	fs.BoolVarP(&o.all, "all", "a", false, "Remove all images that no container uses, not just those without a name")
	fs.BoolVar(&o.volumes, "volumes", false, "Remove anonymous volumes, too")
	o.filters = opts.Filter(fs, "", `Which things ("label=<key>=<value>")`)
	return c
}

// step is one kind of thing to remove.
type step struct {
	warning string
	do      func(context.Context) (prune.Report, error)
}

func (o *pruneOptions) steps(a *cli.App) []step {
	f := o.filters
	images, cache := "all dangling images", "unused build cache"
	if o.all {
		images, cache = "all images without at least one container associated to them", "all build cache"
	}
	all := []step{
		{"all stopped containers", func(ctx context.Context) (prune.Report, error) { return container.PruneAll(ctx, a, f) }},
		{"all networks not used by at least one container", func(ctx context.Context) (prune.Report, error) { return network.PruneAll(ctx, a, f) }},
	}
	if o.volumes {
		all = append(all, step{"all anonymous volumes not used by at least one container", func(ctx context.Context) (prune.Report, error) {
			return volume.PruneAll(ctx, a, f)
		}})
	}
	return append(all,
		step{images, func(ctx context.Context) (prune.Report, error) { return image.PruneAll(ctx, a, o.all, f) }},
		step{cache, func(ctx context.Context) (prune.Report, error) {
			return builder.PruneAll(ctx, a, client.BuildCachePruneOptions{All: o.all, Filters: f})
		}})
}

func (o *pruneOptions) prune(ctx context.Context, a *cli.App) error {
	if _, until := o.filters["until"]; until && o.volumes {
		return errors.New(`ERROR: The "until" filter is not supported with "--volumes"`)
	}
	steps := o.steps(a)
	if !o.force {
		yes, err := a.Confirm(ctx, question(steps, prune.Filters(a, o.filters)))
		if err != nil || !yes {
			return err
		}
	}
	var space uint64
	for _, s := range steps {
		r, err := s.do(ctx)
		if err != nil {
			return err
		}
		space += r.Space
		if r.Text != "" {
			fmt.Fprintln(a.Out, r.Text)
		}
	}
	fmt.Fprintln(a.Out, "Total reclaimed space:", units.HumanSize(float64(space)))
	return nil
}

func question(steps []step, filters client.Filters) string {
	var b strings.Builder
	b.WriteString("WARNING! This will remove:\n")
	for _, s := range steps {
		fmt.Fprintln(&b, "  -", s.warning)
	}
	var shown []string
	for _, key := range []string{"label", "label!", "until"} {
		for v := range filters[key] {
			shown = append(shown, key+"="+v)
		}
	}
	if len(shown) > 0 {
		slices.Sort(shown)
		b.WriteString("\n  Items to be pruned will be filtered with:\n")
		for _, s := range shown {
			fmt.Fprintln(&b, "  -", s)
		}
	}
	b.WriteString("\nAre you sure you want to continue?")
	return b.String()
}
