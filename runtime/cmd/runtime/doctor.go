package main

import (
	"fmt"
	"os"

	"github.com/dhow-containers/dhow/runtime/cmd/runtime/internal/flags"
	"github.com/dhow-containers/dhow/runtime/doctor"
)

type doctorCommand struct {
	format string
}

func doctorVerb() *verb {
	return &verb{
		name:    "doctor",
		args:    "[BUNDLE]",
		summary: "look for what would keep containers from running",
		about: `Looks at this host as the calling user sees it and, with BUNDLE, at what its config.json asks for.
Nothing is made or changed. The exit status is 1 when there is a problem.`,
		max:   1,
		files: flags.Dir,
		new:   func() command { return &doctorCommand{format: "table"} },
	}
}

func (c *doctorCommand) flags() []flags.Flag { return []flags.Flag{formatFlag(&c.format)} }

func (c *doctorCommand) run(a *app, args []string) (int, error) {
	findings := doctor.Host(rootDir(a.root, os.Geteuid()))
	if len(args) == 1 {
		id, dir, err := nameBundle(args[0])
		if err != nil {
			return 1, err
		}
		findings = append(findings, doctor.Bundle(a.open(a), id, dir)...)
	}
	exit := 0
	if !doctor.Healthy(findings) {
		exit = 1
	}
	if c.format == "json" {
		return exit, writeJSON(a.out, findings, "")
	}
	for _, f := range findings {
		line := fmt.Sprintf("%-8s %s: %s", f.Status, f.Subject, f.Text)
		if f.Advice != "" {
			line += " (" + f.Advice + ")"
		}
		fmt.Fprintln(a.out, line)
	}
	return exit, nil
}
