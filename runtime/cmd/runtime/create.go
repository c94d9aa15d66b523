package main

import (
	"github.com/dhow-containers/dhow/runtime/cmd/runtime/internal/flags"
	"github.com/dhow-containers/dhow/runtime/container"
)

type createCommand struct{ o container.CreateOptions }

func createVerb() *verb {
	return &verb{
		name:    "create",
		args:    "ID|BUNDLE",
		summary: "create a container, ready to be started",
		about: `Makes the container that the bundle's config.json describes, up to the point where its program would
begin, and leaves it waiting for 'runtime start'. Its standard streams are the caller's.

` + aboutBundle,
		min:   1,
		max:   1,
		files: flags.Dir,
		new:   func() command { return &createCommand{} },
	}
}

func (c *createCommand) flags() []flags.Flag { return createFlags(&c.o) }

func (c *createCommand) run(a *app, args []string) (int, error) {
	id, bundle, err := resolveBundle(args[0], c.o.Bundle)
	if err != nil {
		return 1, err
	}
	c.o.Bundle = bundle
	if err := a.checkDescriptors(&c.o); err != nil {
		return 1, err
	}
	return 0, a.open(a).Create(id, c.o)
}
