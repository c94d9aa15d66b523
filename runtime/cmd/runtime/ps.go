package main

import (
	"fmt"
	"strings"

	"github.com/dhow-containers/dhow/runtime/cmd/runtime/internal/flags"
	"github.com/dhow-containers/dhow/runtime/ps"
)

type psCommand struct{ format string }

func psVerb() *verb {
	return &verb{
		name:    "ps",
		args:    "ID [PS OPTIONS]",
		summary: "list the processes of a container",
		about: `Prints the processes of the container ID, with their ids on the host, as 'ps -ef' shows them. Of the
options of ps, -e, -f, -w, -x, aux and -o LIST are known, where LIST names columns:
` + strings.Replace(ps.ColumnNames(), " %cpu", "\n%cpu", 1) + `.`,
		min:  1,
		max:  -1,
		runs: true,
		new:  func() command { return &psCommand{format: "table"} },
	}
}

func (c *psCommand) flags() []flags.Flag { return []flags.Flag{formatFlag(&c.format)} }

func (c *psCommand) run(a *app, args []string) (int, error) {
	columns, err := ps.ParseOptions(args[1:])
	if err != nil {
		return 1, &usageError{err: err}
	}
	pids, err := a.open(a).Processes(args[0])
	if err != nil {
		return 1, err
	}
	if c.format == "json" {
		return 0, writeJSON(a.out, pids, "")
	}
	if err := ps.WriteTable(a.out, columns, pids); err != nil {
		return 1, fmt.Errorf("cannot list the processes of container %q: %w", args[0], err)
	}
	return 0, nil
}
