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

type runOptions struct {
	creation

	detach, sigProxy bool
	detachKeys       string
}

// Run is `dhow run`.
func Run(a *cli.App) *cobra.Command {
	o := &runOptions{creation: creation{command: "run"}}
	c := &cobra.Command{
		Use: "run [OPTIONS] IMAGE [COMMAND] [ARG...]", Short: "Make a container from an image and run it", Args: cli.AtLeast(1),
		RunE: func(c *cobra.Command, args []string) error {
			r, err := o.prepare(a, args)
			if err != nil {
				return err
			}
			return o.run(c.Context(), a, r)
		},
	}
	o.register(c.Flags())
	c.Flags().BoolVarP(&o.detach, "detach", "d", false, "Run in the background and print the id of the container")
	c.Flags().BoolVar(&o.sigProxy, "sig-proxy", true, "Send signals on to the process")
	c.Flags().StringVar(&o.detachKeys, "detach-keys", "", "Keys that detach from the container")
	completeCreation(a, c)
	return cli.Aliased(c, "container run", "run")
}

func (o *runOptions) run(ctx context.Context, a *cli.App, r *request) error {
	if err := o.checkStreams(a, r); err != nil {
		return err
	}
	keys, err := detachKeys(a, o.detachKeys)
	if err != nil {
		return err
	}
	c, err := a.Client()
	if err != nil {
		return err
	}
	id, err := o.create(ctx, a, r)
	if err != nil {
		return startError(err)
	}
	if o.sigProxy {
		defer forwardSignals(c, id)()
	}
	// From here on signals are the container's: they do not end what is under way.
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	cfg := r.config
	attached := cfg.AttachStdin || cfg.AttachStdout || cfg.AttachStderr
	var ended <-chan error
	if attached {
		var hangUp func()
		ended, hangUp, err = attach(ctx, a, id, cfg.Tty, client.ContainerAttachOptions{
			Stream: true, Stdin: cfg.AttachStdin, Stdout: cfg.AttachStdout, Stderr: cfg.AttachStderr, DetachKeys: keys,
		})
		if err != nil {
			return err
		}
		defer hangUp()
	}
	if !attached { // known to scripts even if it does not start
		fmt.Fprintln(a.Out, id)
	}
	status := exitStatus(ctx, a, c, id, r.host.AutoRemove)
	if _, err := c.ContainerStart(ctx, id, client.ContainerStartOptions{}); err != nil {
		if r.host.AutoRemove {
			<-status
		}
		if attached {
			cancel()
			<-ended // the terminal is as it was
		}
		return startError(err)
	}
	if !attached {
		return nil
	}
	if cfg.Tty && a.Out.IsTerminal() {
		followSize(ctx, a, func(ctx context.Context, h, w uint) error {
			_, err := c.ContainerResize(ctx, id, client.ContainerResizeOptions{Height: h, Width: w})
			return err
		})
	}
	return finish(ended, status, cancel, cfg.AttachStdout || cfg.AttachStderr)
}

// finish waits for the end of the streams and of the container, whichever is first. What the container has written is
// written here before the program ends.
func finish(ended <-chan error, status <-chan int, cancel func(), output bool) error {
	select {
	case err := <-ended:
		if errors.Is(err, stream.ErrDetached) {
			return nil
		}
		if err != nil {
			return err
		}
		return cli.Exit(<-status)
	case code := <-status:
		if !output {
			cancel()
		}
		<-ended
		return cli.Exit(code)
	}
}

func (o *runOptions) checkStreams(a *cli.App, r *request) error {
	c := r.config
	if !o.detach {
		return a.In.CheckTTY(c.AttachStdin, c.Tty)
	}
	if len(o.process.attach) > 0 {
		return errors.New("conflicting options: cannot specify both --attach and --detach")
	}
	c.AttachStdin, c.AttachStdout, c.AttachStderr, c.StdinOnce = false, false, false, false
	return nil
}

// detachKeys are those of the flag, else of the configuration file, else the daemon's.
func detachKeys(a *cli.App, flag string) (string, error) {
	if flag == "" {
		return a.Config().String("detachKeys"), nil
	}
	_, err := stream.ParseKeys(flag)
	return flag, err
}

// startError gives an error of create or start docker's exit status: 127 for a command that is not there, 126 for one that
// cannot be run, else 125.
func startError(err error) error {
	var s *cli.StatusError
	if errors.As(err, &s) {
		return err
	}
	text, code := err.Error(), 125
	switch {
	case contains(text, "executable file not found", "no such file or directory", "system cannot find the file specified"):
		code = 127
	case contains(text, "permission denied", "is a directory"):
		code = 126
	}
	return &cli.StatusError{Code: code, Message: cli.WithHelp(err, "run").Error(), Cause: err}
}

func contains(s string, any ...string) bool {
	for _, a := range any {
		if strings.Contains(s, a) {
			return true
		}
	}
	return false
}
