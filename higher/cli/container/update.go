package container

import (
	"errors"
	"fmt"

	types "github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
	"github.com/spf13/cobra"

	"github.com/dhow-containers/dhow/higher/cli"
	"github.com/dhow-containers/dhow/higher/cli/opts"
)

// Update is `dhow update`.
func Update(a *cli.App) *cobra.Command {
	var f resourceFlags
	var restart string
	c := &cobra.Command{
		Use: "update [OPTIONS] CONTAINER [CONTAINER...]", Short: "Change limits and restart policy of containers", Args: cli.AtLeast(1), ValidArgsFunction: cli.Completed(all(a)),
		RunE: func(cmd *cobra.Command, args []string) error {
			if cmd.Flags().NFlag() == 0 {
				return errors.New("you must provide one or more flags when using this command")
			}
			if cmd.Flags().Changed("kernel-memory") {
				return errors.New("--kernel-memory is no longer supported by the kernel; use --memory")
			}
			r := &types.Resources{}
			f.apply(r)
			r.PidsLimit = &f.pids
			policy, err := opts.Restart(restart)
			if err != nil {
				return err
			}
			return update(cmd, a, args, client.ContainerUpdateOptions{Resources: r, RestartPolicy: &policy})
		},
	}
	f.register(c.Flags())
	c.Flags().StringVar(&restart, "restart", "", "What to do when the container ends")
	c.Flags().Var(&foreign{"bytes"}, "kernel-memory", "Kernel memory limit")
	c.Flags().MarkHidden("kernel-memory")
	return cli.Aliased(c, "container update", "update")
}

func update(cmd *cobra.Command, a *cli.App, names []string, o client.ContainerUpdateOptions) error {
	c, err := a.Client()
	if err != nil {
		return err
	}
	var warnings []string
	var errs []error
	for _, n := range names {
		r, err := c.ContainerUpdate(cmd.Context(), n, o)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		fmt.Fprintln(a.Out, n)
		warnings = append(warnings, r.Warnings...)
	}
	for _, w := range warnings {
		fmt.Fprintln(a.Out, w)
	}
	return errors.Join(errs...)
}
