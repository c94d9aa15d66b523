package main

import (
	"fmt"

	"github.com/dhow-containers/dhow/runtime/cmd/runtime/internal/flags"
)

// verb is one row of the table of commands.
type verb struct {
	name    string
	args    string // synopsis of the positional arguments
	summary string // one line, no full stop
	about   string // paragraphs for the verb's own help
	min     int    // fewest positional arguments
	max     int    // most; -1 is no limit
	runs    bool   // all after the first positional argument is another program's: flags stand before it
	files   flags.Files
	words   []string // what completes the first argument; nil and files None: container ids
	new     func() command
}

// command is a verb's flags, and what it does once they are read.
type command interface {
	flags() []flags.Flag
	run(a *app, args []string) (exit int, err error)
}

// noFlags is embedded by commands that have none.
type noFlags struct{}

func (noFlags) flags() []flags.Flag { return nil }

// verbs lists the commands in the order help shows them. It is a function so that the help command can
// be in the table that it prints.
func verbs() []*verb {
	return []*verb{
		createVerb(), startVerb(), runVerb(), stateVerb(), killVerb(), deleteVerb(),
		execVerb(), listVerb(), psVerb(), pauseVerb(), resumeVerb(), updateVerb(), eventsVerb(),
		checkpointVerb(), restoreVerb(), specVerb(), featuresVerb(), planVerb(), doctorVerb(),
		completionVerb(), helpVerb(),
	}
}

func findVerb(name string) *verb {
	if name == "h" { // runc's alias
		name = "help"
	}
	for _, v := range verbs() {
		if v.name == name {
			return v
		}
	}
	return nil
}

func verbNames() []string {
	var names []string
	for _, v := range verbs() {
		names = append(names, v.name)
	}
	return names
}

// noTopic is the error for a request for help about a command that there is none of.
func noTopic(name string) error {
	return fmt.Errorf("cannot show help: No help topic for '%s'", name)
}

func unknownVerb(name string) error {
	hint := ""
	if near := flags.Nearest(name, verbNames()); near != "" {
		hint = fmt.Sprintf(", did you mean %q?", near)
	}
	return fmt.Errorf("cannot run command %q: no such command%s (see 'runtime --help')", name, hint)
}

// checkCount holds a verb's positional arguments against its limits.
func (v *verb) checkCount(args []string) error {
	switch {
	case len(args) < v.min:
		return fmt.Errorf("cannot %s: it needs %s", v.name, v.args)
	case v.max < 0 || len(args) <= v.max:
		return nil
	case v.max == 0:
		return fmt.Errorf("cannot %s: unexpected argument %q", v.name, args[0])
	}
	return fmt.Errorf("cannot %s: unexpected argument %q after %s", v.name, args[v.max], v.args)
}
