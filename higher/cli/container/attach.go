package container

import (
	"context"
	"errors"

	types "github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
	"github.com/spf13/cobra"

	"github.com/dhow-containers/dhow/higher/cli"
)

// Attach is `dhow attach`.
func Attach(a *cli.App) *cobra.Command {
	var noStdin, proxy bool
	var keys string
	c := &cobra.Command{
		Use: "attach [OPTIONS] CONTAINER", Short: "Attach standard streams to a running container", Args: cli.Exact(1), ValidArgsFunction: cli.CompletedFirst(running(a)),
		RunE: func(cmd *cobra.Command, args []string) error {
			keys, err := detachKeys(a, keys)
			if err != nil {
				return err
			}
			return runAttach(cmd.Context(), a, args[0], client.ContainerAttachOptions{Stream: true, Stdin: !noStdin, Stdout: true, Stderr: true, DetachKeys: keys}, proxy)
		},
	}
	c.Flags().BoolVar(&noStdin, "no-stdin", false, "Do not attach standard input")
	c.Flags().BoolVar(&proxy, "sig-proxy", true, "Send signals on to the process")
	c.Flags().StringVar(&keys, "detach-keys", "", "Keys that detach from the container")
	return cli.Aliased(c, "container attach", "attach")
}

func runAttach(ctx context.Context, a *cli.App, name string, o client.ContainerAttachOptions, proxy bool) error {
	c, err := a.Client()
	if err != nil {
		return err
	}
	// Asked before anything else, so that an end in between is not missed.
	wait := c.ContainerWait(context.WithoutCancel(ctx), name, client.ContainerWaitOptions{})
	i, err := attachable(ctx, c, name)
	if err != nil {
		return err
	}
	if err := a.In.CheckTTY(o.Stdin, i.Config.Tty); err != nil {
		return err
	}
	o.Stdin = o.Stdin && i.Config.OpenStdin
	if proxy && !i.Config.Tty {
		defer forwardSignals(c, name)()
		ctx = context.WithoutCancel(ctx)
	}
	ended, hangUp, err := attach(ctx, a, name, i.Config.Tty, o)
	if err != nil {
		return err
	}
	defer hangUp()
	// It may have stopped before it was attached to, and then nothing would ever come.
	if _, err := attachable(ctx, c, name); err != nil {
		return err
	}
	if i.Config.Tty && a.Out.IsTerminal() {
		resize := func(ctx context.Context, h, w uint) error {
			_, err := c.ContainerResize(ctx, name, client.ContainerResizeOptions{Height: h, Width: w})
			return err
		}
		// A shell draws its prompt anew only when the size has changed.
		h, w := a.Out.Size()
		resize(ctx, h+1, w+1)
		followSize(ctx, a, resize)
	}
	if err := <-ended; err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	select {
	case r := <-wait.Result:
		if r.Error != nil {
			return errors.New(r.Error.Message)
		}
		return cli.Exit(int(r.StatusCode))
	case err := <-wait.Error:
		return err
	}
}

func attachable(ctx context.Context, c *client.Client, name string) (*types.InspectResponse, error) {
	r, err := c.ContainerInspect(ctx, name, client.ContainerInspectOptions{})
	if err != nil {
		return nil, err
	}
	switch s := r.Container.State; {
	case !s.Running:
		return nil, errors.New("cannot attach to a stopped container, start it first")
	case s.Paused:
		return nil, errors.New("cannot attach to a paused container, unpause it first")
	case s.Restarting:
		return nil, errors.New("cannot attach to a restarting container, wait until it is running")
	}
	return &r.Container, nil
}
