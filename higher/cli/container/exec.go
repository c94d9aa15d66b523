package container

import (
	"context"
	"errors"
	"fmt"

	"github.com/moby/moby/client"
	"github.com/spf13/cobra"

	"github.com/dhow-containers/dhow/higher/cli"
	"github.com/dhow-containers/dhow/higher/cli/opts"
)

type execOptions struct {
	client.ExecCreateOptions

	detach, stdin bool
	env, envFiles []string
}

// Exec is `dhow exec`.
func Exec(a *cli.App) *cobra.Command {
	var o execOptions
	c := &cobra.Command{
		Use: "exec [OPTIONS] CONTAINER COMMAND [ARG...]", Short: "Run a command in a running container", Args: cli.AtLeast(2), ValidArgsFunction: cli.CompletedFirst(running(a)),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.Cmd = args[1:]
			return o.exec(cmd.Context(), a, args[0])
		},
	}
	fs := c.Flags()
	fs.SetInterspersed(false)
	fs.StringVar(&o.DetachKeys, "detach-keys", "", "Keys that detach from the command")
	fs.BoolVarP(&o.stdin, "interactive", "i", false, "Keep standard input open even if it is not attached")
	fs.BoolVarP(&o.TTY, "tty", "t", false, "Give the command a terminal")
	fs.BoolVarP(&o.detach, "detach", "d", false, "Run the command in the background")
	fs.StringVarP(&o.User, "user", "u", "", `User name or id (format: "<name|uid>[:<group|gid>]")`)
	fs.BoolVar(&o.Privileged, "privileged", false, "Give the command all privileges")
	opts.List(fs, &o.env, "env", "e", "Set an environment variable", opts.Env)
	opts.List(fs, &o.envFiles, "env-file", "", "Read environment variables from a file", nil)
	fs.StringVarP(&o.WorkingDir, "workdir", "w", "", "Working directory inside the container")
	return cli.Aliased(c, "container exec", "exec")
}

func (o *execOptions) exec(ctx context.Context, a *cli.App, name string) (err error) {
	if o.Env, err = opts.ReadEnv(o.envFiles, o.env); err != nil {
		return err
	}
	if o.DetachKeys, err = detachKeys(a, o.DetachKeys); err != nil {
		return err
	}
	o.AttachStdout, o.AttachStderr, o.AttachStdin = !o.detach, !o.detach, o.stdin && !o.detach
	c, err := a.Client()
	if err != nil {
		return err
	}
	// First whether there is such a container, then whether there is a terminal: an exec that was made cannot be unmade.
	if _, err := c.ContainerInspect(ctx, name, client.ContainerInspectOptions{}); err != nil {
		return err
	}
	if err := a.In.CheckTTY(o.AttachStdin, o.TTY); err != nil {
		return err
	}
	if o.TTY {
		h, w := a.Out.Size()
		o.ConsoleSize = client.ConsoleSize{Height: h, Width: w}
	}
	made, err := c.ExecCreate(ctx, name, o.ExecCreateOptions)
	if err != nil {
		return err
	}
	if made.ID == "" {
		return errors.New("exec ID empty")
	}
	if o.detach {
		_, err := c.ExecStart(ctx, made.ID, client.ExecStartOptions{Detach: true, TTY: o.TTY, ConsoleSize: o.ConsoleSize})
		return err
	}
	return o.attached(ctx, a, c, made.ID)
}

func (o *execOptions) attached(ctx context.Context, a *cli.App, c *client.Client, id string) error {
	conn, err := c.ExecAttach(ctx, id, client.ExecAttachOptions{TTY: o.TTY, ConsoleSize: o.ConsoleSize})
	if err != nil {
		return err
	}
	defer conn.Close()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s := &streams{app: a, conn: conn.HijackedResponse, tty: o.TTY, detachKeys: o.DetachKeys, out: a.Out, err: a.Err}
	if o.AttachStdin {
		s.in = a.In
	}
	ended := make(chan error, 1)
	go func() { ended <- s.copy(ctx) }()
	if o.TTY && a.In.IsTerminal() {
		followSize(ctx, a, func(ctx context.Context, h, w uint) error {
			_, err := c.ExecResize(ctx, id, client.ExecResizeOptions{Height: h, Width: w})
			return err
		})
	}
	if err := <-ended; err != nil {
		return err
	}
	r, err := c.ExecInspect(context.WithoutCancel(ctx), id, client.ExecInspectOptions{})
	if err != nil {
		return fmt.Errorf("cannot know how the command ended: %w", err)
	}
	return cli.Exit(r.ExitCode)
}
