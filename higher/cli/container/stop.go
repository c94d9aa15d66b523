package container

import (
	"context"
	"errors"
	"fmt"

	"github.com/moby/moby/client"
	"github.com/spf13/cobra"

	"github.com/dhow-containers/dhow/higher/cli"
)

// stopFlags are those of stop and restart.
type stopFlags struct {
	signal  string
	timeout int
}

func (f *stopFlags) register(c *cobra.Command) {
	fs := c.Flags()
	fs.StringVarP(&f.signal, "signal", "s", "", "Signal to send")
	fs.IntVarP(&f.timeout, "timeout", "t", 0, "Seconds to wait before killing the container")
	fs.IntVar(&f.timeout, "time", 0, "Seconds to wait before killing the container")
	fs.MarkDeprecated("time", "use --timeout instead")
	c.MarkFlagsMutuallyExclusive("timeout", "time")
}

func (f *stopFlags) seconds(c *cobra.Command) *int {
	if c.Flags().Changed("timeout") || c.Flags().Changed("time") {
		return &f.timeout
	}
	return nil
}

// Stop is `dhow stop`.
func Stop(a *cli.App) *cobra.Command {
	var f stopFlags
	c := &cobra.Command{
		Use: "stop [OPTIONS] CONTAINER [CONTAINER...]", Short: "Stop containers", Args: cli.AtLeast(1), ValidArgsFunction: cli.Completed(running(a)),
		RunE: func(cmd *cobra.Command, args []string) error {
			return each(cmd.Context(), a, args, func(ctx context.Context, c *client.Client, id string) error {
				_, err := c.ContainerStop(ctx, id, client.ContainerStopOptions{Signal: f.signal, Timeout: f.seconds(cmd)})
				return err
			})
		},
	}
	f.register(c)
	return cli.Aliased(c, "container stop", "stop")
}

// Restart is `dhow restart`, one container after the other.
func Restart(a *cli.App) *cobra.Command {
	var f stopFlags
	c := &cobra.Command{
		Use: "restart [OPTIONS] CONTAINER [CONTAINER...]", Short: "Restart containers", Args: cli.AtLeast(1), ValidArgsFunction: cli.Completed(all(a)),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := a.Client()
			if err != nil {
				return err
			}
			var errs []error
			for _, id := range args {
				if _, err := c.ContainerRestart(cmd.Context(), id, client.ContainerRestartOptions{Signal: f.signal, Timeout: f.seconds(cmd)}); err != nil {
					errs = append(errs, err)
					continue
				}
				fmt.Fprintln(a.Out, id)
			}
			return errors.Join(errs...)
		},
	}
	f.register(c)
	return cli.Aliased(c, "container restart", "restart")
}
