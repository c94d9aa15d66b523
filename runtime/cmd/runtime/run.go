package main

import (
	"github.com/dhow-containers/dhow/runtime/cmd/runtime/internal/flags"
	"github.com/dhow-containers/dhow/runtime/container"
)

type runCommand struct{ o container.RunOptions }

func runVerb() *verb {
	return &verb{
		name:    "run",
		args:    "ID|BUNDLE",
		summary: "create a container, start it and wait for it",
		about: `Does what create and start do, waits for the container's program, removes the container and exits with
the program's exit code; 128 and the signal's number when a signal ended it. With --detach it returns
once the program runs.

` + aboutBundle,
		min:   1,
		max:   1,
		files: flags.Dir,
		new:   func() command { return &runCommand{} },
	}
}

func (c *runCommand) flags() []flags.Flag {
	return append(createFlags(&c.o.CreateOptions),
		flags.Flag{Name: "detach", Short: "d", Value: &c.o.Detach, Help: "do not wait for the program"},
		flags.Flag{Name: "keep", Value: &c.o.Keep, Help: "do not remove the container when its program is done"},
		flags.Flag{Name: "no-subreaper", Value: &c.o.NoSubreaper, Help: "do not adopt the container's orphaned processes"},
	)
}

func (c *runCommand) run(a *app, args []string) (int, error) {
	id, bundle, err := resolveBundle(args[0], c.o.Bundle)
	if err != nil {
		return 1, err
	}
	c.o.Bundle = bundle
	if err := a.checkDescriptors(&c.o.CreateOptions); err != nil {
		return 1, err
	}
	return a.open(a).Run(id, c.o)
}
