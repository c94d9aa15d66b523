package prune

import (
	"context"
	"fmt"
	"strings"

	"github.com/moby/moby/client"
	"github.com/spf13/cobra"

	"github.com/dhow-containers/dhow/higher/cli"
	"github.com/dhow-containers/dhow/higher/cli/opts"
)

// Noun is what the prune command of a noun is about.
type Noun struct {
	Short   string
	Warning string // of what is removed
	Filters string // that there are, for the help
	Silent  bool   // nothing is said of space

	// With the flag --all more is removed; the two are "" where there is none.
	AllHelp, AllWarning string

	// Check, if there is one, looks for flags that do not go together.
	Check func(f client.Filters, every bool) error
	Do    func(context.Context, *cli.App, client.Filters, bool) (Report, error)
}

// Command is `dhow NOUN prune`.
func Command(a *cli.App, n Noun) *cobra.Command {
	var f client.Filters
	var force, every bool
	c := &cobra.Command{
		Use: "prune [OPTIONS]", Short: n.Short, Args: cli.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if n.Check != nil {
				if err := n.Check(f, every); err != nil {
					return err
				}
			}
			warning := n.Warning
			if every {
				warning = n.AllWarning
			}
			do := func(ctx context.Context) (Report, error) {
				r, err := n.Do(ctx, a, f, every)
				r.silent = n.Silent
				return r, err
			}
			return Run(cmd.Context(), a, force, warning, do)
		},
	}
	c.Flags().BoolVarP(&force, "force", "f", false, "Do not ask")
	if n.AllHelp != "" {
		c.Flags().BoolVarP(&every, "all", "a", false, n.AllHelp)
	}
	f = opts.Filter(c.Flags(), "", "Which ones ("+n.Filters+")")
	return c
}

// Removed reports things that were removed by name or id.
func Removed(what string, names []string, space uint64) Report {
	if len(names) == 0 {
		return Report{Space: space}
	}
	return Report{Text: fmt.Sprintf("Deleted %s:\n%s\n", what, strings.Join(names, "\n")), Space: space}
}
