package context

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/dhow-containers/dhow/higher/cli"
	"github.com/dhow-containers/dhow/higher/cli/connect"
	"github.com/dhow-containers/dhow/higher/cli/contexts"
)

// Show is `dhow context show`.
func Show(a *cli.App) *cobra.Command {
	return &cobra.Command{
		Use: "show", Short: "Print the name of the context in use", Args: cli.NoArgs, ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(*cobra.Command, []string) error {
			fmt.Fprintln(a.Out, current(a))
			return nil
		},
	}
}

// Use is `dhow context use`.
func Use(a *cli.App) *cobra.Command {
	return &cobra.Command{
		Use: "use CONTEXT", Short: "Choose the context to use", Args: cli.Exact(1), ValidArgsFunction: cli.CompletedFirst(names(a)),
		RunE: func(_ *cobra.Command, args []string) error {
			name, stored := args[0], args[0]
			if name == contexts.Default {
				stored = ""
			} else {
				if err := contexts.CheckName(name); err != nil {
					return err
				}
				if _, err := store(a).Get(name); err != nil {
					return err
				}
			}
			f := a.Config()
			if f.String("currentContext") != stored {
				if err := f.Set("currentContext", stored); err != nil {
					return err
				}
				if err := f.Save(); err != nil {
					return err
				}
			}
			fmt.Fprintln(a.Out, name)
			fmt.Fprintf(a.Err, "Current context is now %q\n", name)
			if v := connect.HostVariable(); v != "" && stored != "" {
				fmt.Fprintf(a.Err, "Warning: %[1]s environment variable overrides the active context. To use %[2]q, either set the global --context flag, or unset %[1]s environment variable.\n", v, name)
			}
			return nil
		},
	}
}
