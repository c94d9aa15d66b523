package main

import (
	"fmt"
	"os"
	"text/tabwriter"
	"time"

	"github.com/dhow-containers/dhow/runtime/cmd/runtime/internal/flags"
	"github.com/dhow-containers/dhow/runtime/container"
)

type listCommand struct {
	format string
	quiet  bool
}

func listVerb() *verb {
	return &verb{
		name:    "list",
		summary: "list the containers",
		about:   "Prints the containers under --root, one a line, stopped ones included.",
		new:     func() command { return &listCommand{format: "table"} },
	}
}

func (c *listCommand) flags() []flags.Flag {
	return []flags.Flag{
		formatFlag(&c.format),
		{Name: "quiet", Short: "q", Value: &c.quiet, Help: "print only the ids"},
	}
}

func formatFlag(v *string) flags.Flag {
	return flags.Flag{Name: "format", Short: "f", Arg: "FORMAT", Choices: []string{"table", "json"}, Value: v, Help: "table or json (default: table)"}
}

func (c *listCommand) run(a *app, _ []string) (int, error) {
	infos, err := a.open(a).List()
	if err == nil && len(infos) == 0 && a.root != "" { // the default one need not be there yet
		if _, err = os.Stat(a.root); err != nil {
			err = fmt.Errorf("cannot list containers (--root): %w", err)
		}
	}
	if err != nil {
		return 1, err
	}
	switch {
	case c.quiet:
		for _, i := range infos {
			fmt.Fprintln(a.out, i.ID)
		}
		return 0, nil
	case c.format == "json":
		var views []stateView // none prints "null", as runc's callers know it
		for _, i := range infos {
			views = append(views, newStateView(i))
		}
		return 0, writeJSON(a.out, views, "")
	}
	return 0, c.table(a, infos)
}

func (c *listCommand) table(a *app, infos []*container.Info) error {
	w := tabwriter.NewWriter(a.out, 12, 1, 3, ' ', 0)
	fmt.Fprint(w, "ID\tPID\tSTATUS\tBUNDLE\tCREATED\tOWNER\n")
	for _, i := range infos {
		fmt.Fprintf(w, "%s\t%d\t%s\t%s\t%s\t%s\n",
			i.ID, i.Pid, i.Status, i.Bundle, i.Created.UTC().Format(time.RFC3339Nano), i.Owner)
	}
	return w.Flush()
}
