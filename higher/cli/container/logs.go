package container

import (
	"io"

	"github.com/moby/moby/client"
	"github.com/spf13/cobra"

	"github.com/dhow-containers/dhow/higher/cli"
	"github.com/dhow-containers/dhow/higher/cli/stream"
)

// Logs is `dhow logs`.
func Logs(a *cli.App) *cobra.Command {
	o := client.ContainerLogsOptions{ShowStdout: true, ShowStderr: true}
	c := &cobra.Command{
		Use: "logs [OPTIONS] CONTAINER", Short: "Show what a container has written", Args: cli.Exact(1), ValidArgsFunction: cli.CompletedFirst(all(a)),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := a.Client()
			if err != nil {
				return err
			}
			i, err := c.ContainerInspect(cmd.Context(), args[0], client.ContainerInspectOptions{})
			if err != nil {
				return err
			}
			r, err := c.ContainerLogs(cmd.Context(), i.Container.ID, o)
			if err != nil {
				return err
			}
			defer r.Close()
			if i.Container.Config.Tty {
				_, err = io.Copy(a.Out, r)
			} else {
				err = stream.Frames(a.Out, a.Err, r)
			}
			return err
		},
	}
	fs := c.Flags()
	fs.BoolVarP(&o.Follow, "follow", "f", false, "Go on with what comes")
	fs.StringVar(&o.Since, "since", "", `Only from a time on ("2013-01-02T13:23:37Z", or "42m" for 42 minutes ago)`)
	fs.StringVar(&o.Until, "until", "", `Only up to a time ("2013-01-02T13:23:37Z", or "42m" for 42 minutes ago)`)
	fs.BoolVarP(&o.Timestamps, "timestamps", "t", false, "Show times")
	fs.BoolVar(&o.Details, "details", false, "Show what the log driver knows beside the text")
	fs.StringVarP(&o.Tail, "tail", "n", "all", "Number of lines from the end")
	return cli.Aliased(c, "container logs", "logs")
}
