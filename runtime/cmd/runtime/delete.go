package main

import (
	"github.com/containerd/errdefs"

	"github.com/dhow-containers/dhow/runtime/cmd/runtime/internal/flags"
)

type deleteCommand struct{ force bool }

func deleteVerb() *verb {
	return &verb{
		name:    "delete",
		args:    "ID",
		summary: "remove a stopped container",
		about: `Removes what the host holds for the container ID: its cgroup and its state. The bundle stays. With
--force a running container is killed first, and one that does not exist is no error.`,
		min: 1,
		max: 1,
		new: func() command { return &deleteCommand{} },
	}
}

func (c *deleteCommand) flags() []flags.Flag {
	return []flags.Flag{
		{Name: "force", Short: "f", Value: &c.force, Help: "kill the container first if it still runs"},
	}
}

func (c *deleteCommand) run(a *app, args []string) (int, error) {
	err := a.open(a).Delete(args[0], c.force)
	if c.force && errdefs.IsNotFound(err) {
		return 0, nil
	}
	return 0, err
}
