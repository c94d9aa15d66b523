package main

import (
	"github.com/dhow-containers/dhow/runtime/checkpoint"
	"github.com/dhow-containers/dhow/runtime/cmd/runtime/internal/flags"
	"github.com/dhow-containers/dhow/runtime/container"
)

type restoreCommand struct {
	o       container.RestoreOptions
	emptyNS []string
	noPivot bool
}

func restoreVerb() *verb {
	return &verb{
		name:    "restore",
		args:    "ID|BUNDLE",
		summary: "make a container from saved processes",
		about: `Makes a container from the bundle and has criu(8), which must be in $PATH, restore in it the processes
that 'runtime checkpoint' has saved. Waits for the first of them and exits as 'runtime run' does; with
--detach it returns once they run. The flags that the checkpoint needed, the restore mostly needs too.

` + aboutBundle,
		min:   1,
		max:   1,
		files: flags.Dir,
		new: func() command {
			return &restoreCommand{o: container.RestoreOptions{Options: checkpoint.Options{StatusFD: -1}}}
		},
	}
}

func (c *restoreCommand) flags() []flags.Flag {
	return append(append([]flags.Flag{
		bundleFlag(&c.o.Bundle),
		consoleSocketFlag(&c.o.ConsoleSocket),
		pidFileFlag(&c.o.PidFile),
		{Name: "detach", Short: "d", Value: &c.o.Detach, Help: "do not wait for the program"},
		{Name: "no-subreaper", Value: &c.o.NoSubreaper, Help: "do not adopt the container's orphaned processes"},
		{Name: "no-pivot", Value: &c.noPivot, Help: "taken for the callers of create, with a warning: criu always uses pivot_root"},
	}, criuFlags(&c.o.Options, &c.emptyNS)...),
		flags.Flag{Name: "lsm-profile", Arg: "TYPE:NAME", Value: &c.o.LSMProfile, Help: "profile of the host's security module to restore with, such as apparmor:NAME"},
		flags.Flag{Name: "lsm-mount-context", Arg: "CONTEXT", Value: &c.o.LSMMountContext, Help: "security context of mounts to restore with"},
	)
}

func (c *restoreCommand) run(a *app, args []string) (int, error) {
	if err := settle(&c.o.Options); err != nil {
		return 1, err
	}
	id, bundle, err := resolveBundle(args[0], c.o.Bundle)
	if err != nil {
		return 1, err
	}
	c.o.Bundle = bundle
	if c.noPivot {
		a.log.Warn("--no-pivot has no effect: criu enters the root file system by pivot_root")
	}
	return a.open(a).Restore(id, c.o)
}
