package container

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/moby/moby/client"
	"github.com/spf13/cobra"

	"github.com/dhow-containers/dhow/higher/cli"
	"github.com/dhow-containers/dhow/higher/cli/stream"
)

type startOptions struct {
	attach, stdin bool
	keys          string
	client.ContainerStartOptions
}

// Start is `dhow start`.
func Start(a *cli.App) *cobra.Command {
	var o startOptions
	c := &cobra.Command{
		Use: "start [OPTIONS] CONTAINER [CONTAINER...]", Short: "Start stopped containers", Args: cli.AtLeast(1), ValidArgsFunction: cli.Completed(stopped(a)),
		RunE: func(cmd *cobra.Command, args []string) error {
			keys, err := detachKeys(a, o.keys)
			if err != nil {
				return err
			}
			o.keys = keys
			switch {
			case (o.attach || o.stdin) && len(args) > 1:
				return errors.New("you cannot start and attach multiple containers at once")
			case o.attach || o.stdin:
				return o.attached(cmd.Context(), a, args[0])
			case o.CheckpointID != "" && len(args) > 1:
				return errors.New("you cannot restore multiple containers at once")
			}
			return o.start(cmd.Context(), a, args)
		},
	}
	fs := c.Flags()
	fs.BoolVarP(&o.attach, "attach", "a", false, "Attach standard output and error, and send signals on")
	fs.BoolVarP(&o.stdin, "interactive", "i", false, "Attach standard input")
	fs.StringVar(&o.keys, "detach-keys", "", "Keys that detach from the container")
	fs.StringVar(&o.CheckpointID, "checkpoint", "", "Restore from this checkpoint")
	fs.StringVar(&o.CheckpointDir, "checkpoint-dir", "", "Folder of checkpoints")
	return cli.Aliased(c, "container start", "start")
}

func (o *startOptions) start(ctx context.Context, a *cli.App, names []string) error {
	c, err := a.Client()
	if err != nil {
		return err
	}
	var failed []string
	for _, n := range names {
		if _, err := c.ContainerStart(ctx, n, o.ContainerStartOptions); err != nil {
			fmt.Fprintln(a.Err, err)
			failed = append(failed, n)
			continue
		}
		if o.CheckpointID == "" {
			fmt.Fprintln(a.Out, n)
		}
	}
	if failed != nil {
		return fmt.Errorf("failed to start containers: %s", strings.Join(failed, ", "))
	}
	return nil
}

func (o *startOptions) attached(ctx context.Context, a *cli.App, name string) error {
	c, err := a.Client()
	if err != nil {
		return err
	}
	r, err := c.ContainerInspect(ctx, name, client.ContainerInspectOptions{})
	if err != nil {
		return err
	}
	id, tty, remove := r.Container.ID, r.Container.Config.Tty, r.Container.HostConfig.AutoRemove
	if !tty {
		defer forwardSignals(c, id)()
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	ended, hangUp, err := attach(ctx, a, id, tty, client.ContainerAttachOptions{
		Stream: true, Stdin: o.stdin && r.Container.Config.OpenStdin, Stdout: true, Stderr: true, DetachKeys: o.keys,
	})
	if err != nil {
		return err
	}
	defer hangUp()
	status := exitStatus(ctx, a, c, id, remove)
	if _, err := c.ContainerStart(ctx, id, o.ContainerStartOptions); err != nil {
		if remove {
			<-status
		}
		cancel()
		<-ended
		return err
	}
	if tty && a.Out.IsTerminal() {
		followSize(ctx, a, func(ctx context.Context, h, w uint) error {
			_, err := c.ContainerResize(ctx, id, client.ContainerResizeOptions{Height: h, Width: w})
			return err
		})
	}
	if err := <-ended; err != nil {
		if errors.Is(err, stream.ErrDetached) {
			return nil
		}
		return err
	}
	return cli.Exit(<-status)
}
