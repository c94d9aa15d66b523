package manifest

import (
	"context"

	"github.com/distribution/reference"
	"github.com/spf13/cobra"

	"github.com/dhow-containers/dhow/higher/cli"
	"github.com/dhow-containers/dhow/higher/cli/manifest/lists"
	"github.com/dhow-containers/dhow/higher/cli/manifest/remote"
	"github.com/dhow-containers/dhow/higher/release"
)

// Entries are the commands of `dhow manifest`.
func Entries() []cli.Entry {
	return []cli.Entry{
		{Name: "annotate", Short: "Say more about an image of a local manifest list", New: Annotate},
		{Name: "create", Short: "Make a local manifest list", New: Create},
		{Name: "inspect", Short: "Show a manifest or a manifest list", New: Inspect},
		{Name: "push", Short: "Put a manifest list into a registry", New: Push},
		{Name: "rm", Short: "Remove local manifest lists", New: Remove},
	}
}

func store(a *cli.App) *lists.Store { return lists.At(a.Config().Dir()) }

func registries(a *cli.App, insecure bool) *remote.Client {
	return &remote.Client{Insecure: insecure, UserAgent: "dhow/" + release.Get().Version, Credentials: a.Config().Credentials}
}

func insecureFlag(c *cobra.Command, to *bool) {
	c.Flags().BoolVar(to, "insecure", false, "The registry may do without TLS, or have any certificate")
}

// parse reads the name of a list or an image; without tag and digest it is the latest.
func parse(name string) (reference.Named, error) {
	named, err := reference.ParseNormalizedNamed(name)
	if err != nil {
		return nil, err
	}
	if _, ok := named.(reference.Canonical); ok {
		return named, nil
	}
	return reference.TagNameOnly(named), nil
}

// names completes local lists.
func names(a *cli.App) cli.Names {
	return func(context.Context) []string { return store(a).Names() }
}

// listAndImage completes a list, and then an image in it.
func listAndImage(a *cli.App) func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		switch len(args) {
		case 0:
			return store(a).Names(), cobra.ShellCompDirectiveNoFileComp
		case 1:
			if named, err := parse(args[0]); err == nil {
				return store(a).Images(named), cobra.ShellCompDirectiveNoFileComp
			}
		}
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
}
