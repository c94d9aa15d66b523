package main

import (
	"github.com/dhow-containers/dhow/runtime/cmd/runtime/internal/flags"
	"github.com/dhow-containers/dhow/runtime/container"
)

type planCommand struct {
	o      container.CreateOptions
	format string
}

func planVerb() *verb {
	return &verb{
		name:    "plan",
		args:    "ID|BUNDLE",
		summary: "show what create would do, without doing it",
		about: `Prints every step, each one system call, that would be taken inside the new container, with the field of
config.json that asks for it. Nothing is made or changed.

` + aboutBundle,
		min:   1,
		max:   1,
		files: flags.Dir,
		new:   func() command { return &planCommand{format: "table"} },
	}
}

func (c *planCommand) flags() []flags.Flag {
	return append(createFlags(&c.o), formatFlag(&c.format))
}

func (c *planCommand) run(a *app, args []string) (int, error) {
	id, bundle, err := resolveBundle(args[0], c.o.Bundle)
	if err != nil {
		return 1, err
	}
	c.o.Bundle = bundle
	program, err := a.open(a).Plan(id, c.o)
	if err != nil {
		return 1, err
	}
	if c.format == "json" {
		return 0, program.WriteJSON(a.out)
	}
	return 0, program.WriteTable(a.out)
}
