package cli

import (
	"context"
	"slices"
	"time"

	"github.com/moby/moby/client"
	"github.com/spf13/cobra"
)

// Names returns what can stand in a place of the command line.
type Names func(ctx context.Context) []string

// Ask makes Names of a question to the daemon. It neither starts one nor waits long, and its errors are nobody's.
func Ask(a *App, question func(context.Context, *client.Client) []string) Names {
	return func(ctx context.Context) []string {
		a.Quietly()
		ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
		defer cancel()
		c, err := a.Client()
		if err != nil {
			return nil
		}
		return question(ctx, c)
	}
}

type completion = func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective)

// Completed offers names for every argument, each once.
func Completed(n Names) completion {
	return func(c *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		left := slices.DeleteFunc(n(c.Context()), func(s string) bool { return slices.Contains(args, s) })
		return left, cobra.ShellCompDirectiveNoFileComp
	}
}

// CompletedFirst offers names for the first argument.
func CompletedFirst(n Names) completion {
	return func(c *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return n(c.Context()), cobra.ShellCompDirectiveNoFileComp
	}
}

// CompletedEach offers names by position; files where there are none.
func CompletedEach(by ...Names) completion {
	return func(c *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		if len(args) >= len(by) {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return by[len(args)](c.Context()), cobra.ShellCompDirectiveNoFileComp
	}
}

// CompletedFlag offers names for a flag.
func CompletedFlag(c *cobra.Command, flag string, n Names) {
	c.RegisterFlagCompletionFunc(flag, func(c *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
		return n(c.Context()), cobra.ShellCompDirectiveNoFileComp
	})
}

// Fixed are names that are always the same.
func Fixed(names ...string) Names { return func(context.Context) []string { return names } }
