// Package prune is what the prune commands of all nouns share.
package prune

import (
	"context"
	"fmt"

	"github.com/docker/go-units"
	"github.com/moby/moby/client"

	"github.com/dhow-containers/dhow/higher/cli"
)

// Report is what was removed.
type Report struct {
	Text  string // with the line end
	Space uint64 // bytes

	silent bool // of the space
}

// Run asks, unless forced, and removes; then it says what.
func Run(ctx context.Context, a *cli.App, force bool, warning string, do func(context.Context) (Report, error)) error {
	if !force {
		yes, err := a.Confirm(ctx, warning+"\nAre you sure you want to continue?")
		if err != nil {
			return err
		}
		if !yes {
			return nil
		}
	}
	r, err := do(ctx)
	if err != nil {
		return err
	}
	if r.Text != "" {
		fmt.Fprintln(a.Out, r.Text)
	}
	if !r.silent {
		fmt.Fprintln(a.Out, "Total reclaimed space:", units.HumanSize(float64(r.Space)))
	}
	return nil
}

// Filters adds those of the configuration file ("pruneFilters") where f says nothing about the key.
func Filters(a *cli.App, f client.Filters) client.Filters {
	all := f.Clone()
	for _, p := range a.Config().List("pruneFilters") {
		k, v := split(p)
		if _, there := f[k]; !there && v != "" {
			all.Add(k, v)
		}
	}
	return all
}

func split(s string) (k, v string) {
	for i, r := range s {
		if r == '=' {
			return s[:i], s[i+1:]
		}
	}
	return s, ""
}
