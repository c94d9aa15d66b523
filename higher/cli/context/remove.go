package context

import (
	"errors"
	"fmt"

	"github.com/containerd/errdefs"
	"github.com/spf13/cobra"

	"github.com/dhow-containers/dhow/higher/cli"
	"github.com/dhow-containers/dhow/higher/cli/contexts"
)

// Remove is `dhow context rm`.
func Remove(a *cli.App) *cobra.Command {
	var force bool
	c := &cobra.Command{
		Use: "rm CONTEXT [CONTEXT...]", Short: "Remove contexts", Args: cli.AtLeast(1), ValidArgsFunction: cli.Completed(names(a)),
		RunE: func(_ *cobra.Command, args []string) error {
			now := current(a)
			var errs []error
			for _, n := range args {
				if err := remove(a, n, n == now, force); err != nil {
					errs = append(errs, err)
					continue
				}
				fmt.Fprintln(a.Out, n)
			}
			return errors.Join(errs...)
		},
	}
	c.Flags().BoolVarP(&force, "force", "f", false, "Remove it even if it is in use")
	return cli.Aliased(c, "context rm", "context remove")
}

func remove(a *cli.App, name string, inUse, force bool) error {
	if name == contexts.Default {
		return errors.New(`context "default" cannot be removed`)
	}
	if inUse {
		if !force {
			return fmt.Errorf("context %q is in use, set -f flag to force remove", name)
		}
		if err := a.Config().Set("currentContext", ""); err != nil {
			return err
		}
		if err := a.Config().Save(); err != nil {
			return err
		}
	}
	err := store(a).Remove(name)
	if errdefs.IsNotFound(err) {
		if force {
			return nil
		}
		return fmt.Errorf("context %q does not exist", name)
	}
	return err
}
