package manifest

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/dhow-containers/dhow/higher/cli"
)

// Remove is `dhow manifest rm`.
func Remove(a *cli.App) *cobra.Command {
	return &cobra.Command{
		Use: "rm MANIFEST_LIST [MANIFEST_LIST...]", Short: "Remove local manifest lists", Args: cli.AtLeast(1), ValidArgsFunction: cli.Completed(names(a)),
		RunE: func(_ *cobra.Command, args []string) error {
			var errs []error
			for _, name := range args {
				errs = append(errs, remove(a, name))
			}
			return errors.Join(errs...)
		},
	}
}

func remove(a *cli.App, name string) error {
	list, err := parse(name)
	if err != nil {
		return err
	}
	if _, err := store(a).List(list); err != nil {
		return err
	}
	return store(a).Remove(list)
}
