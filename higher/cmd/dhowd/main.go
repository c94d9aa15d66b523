// Command dhowd is the engine's daemon: the Docker Engine API on a unix socket, and on TCP with TLS.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"

	"github.com/spf13/pflag"

	"github.com/dhow-containers/dhow/higher/config"
	"github.com/dhow-containers/dhow/higher/daemon"
	"github.com/dhow-containers/dhow/higher/engine"
	"github.com/dhow-containers/dhow/higher/release"
)

func main() {
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

// run returns the exit status.
func run(args []string, out, errs io.Writer) int {
	c, usage, err := config.Parse(args)
	switch {
	case errors.Is(err, pflag.ErrHelp):
		fmt.Fprint(out, usage)
		return 0
	case err != nil:
		fmt.Fprintf(errs, "dhowd: %v\nSee 'dhowd --help'.\n", err)
		return 1
	case c.Version:
		r := release.Get()
		fmt.Fprintf(out, "dhowd version %s, build %s\n", r.Version, r.Commit)
		return 0
	case c.ValidateOnly:
		if err := engine.Check(c.Config); err != nil {
			return fails(errs, err)
		}
		fmt.Fprintln(out, "configuration OK")
		return 0
	}
	level := &slog.LevelVar{}
	level.Set(c.Level())
	p := &daemon.Program{
		Config: c.Config, Release: release.Get(), Level: level,
		Log: slog.New(slog.NewTextHandler(errs, &slog.HandlerOptions{Level: level})),
		Reload: func() (*config.Config, error) {
			c, _, err := config.Parse(args)
			if err != nil {
				return nil, err
			}
			return c.Config, nil
		},
	}
	if err := p.Run(context.Background()); err != nil {
		return fails(errs, err)
	}
	return 0
}

func fails(errs io.Writer, err error) int {
	fmt.Fprintf(errs, "dhowd: %v\n", err)
	return 1
}
