package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/dhow-containers/dhow/runtime/cmd/runtime/internal/flags"
)

type helpCommand struct{ noFlags }

func helpVerb() *verb {
	return &verb{
		name:    "help",
		args:    "[COMMAND]",
		summary: "show what the program, or one command, takes",
		about:   "Prints the list of commands, or the help of COMMAND.",
		max:     1,
		words:   []string{"create", "start", "run", "state", "kill", "delete", "exec", "list", "ps", "pause", "resume", "update", "events", "checkpoint", "restore", "spec", "features", "plan", "doctor", "completion"},
		new:     func() command { return &helpCommand{} },
	}
}

func (c *helpCommand) run(a *app, args []string) (int, error) {
	if len(args) == 0 {
		return 0, a.printHelp()
	}
	v := findVerb(args[0])
	if v == nil {
		return 1, noTopic(args[0])
	}
	return 0, a.printVerbHelp(v)
}

const aboutProgram = `A container is started from a bundle: a directory that holds config.json, as the OCI runtime
specification describes it, and usually the root file system. In the bundle's directory,
'runtime spec' writes a config.json to begin with and 'runtime run ID' runs it.
`

func (a *app) printHelp() error {
	var b strings.Builder
	b.WriteString("NAME:\n   runtime - run OCI containers\n\n" + aboutProgram)
	b.WriteString("\nUSAGE:\n   runtime [GLOBAL FLAGS] COMMAND [FLAGS] [ARGUMENTS]\n\nCOMMANDS:\n")
	w := columns(&b)
	for _, v := range verbs() {
		fmt.Fprintf(w, "   %s\t%s\n", v.name, v.summary)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	b.WriteString("\nGLOBAL FLAGS:\n")
	writeFlags(&b, (&globals{}).flags())
	b.WriteString("\n'runtime COMMAND --help' explains one command.\n")
	_, err := io.WriteString(a.out, b.String())
	return err
}

func (a *app) printVerbHelp(v *verb) error {
	var b strings.Builder
	var help bool
	table := append(v.new().flags(), flags.Help(&help))
	fmt.Fprintf(&b, "NAME:\n   runtime %s - %s\n\nUSAGE:\n   %s\n\n%s\n\nFLAGS:\n",
		v.name, v.summary, v.synopsis(len(table) > 1), v.about)
	writeFlags(&b, table)
	_, err := io.WriteString(a.out, b.String())
	return err
}

func (v *verb) synopsis(hasFlags bool) string {
	s := "runtime " + v.name
	if hasFlags {
		s += " [FLAGS]"
	}
	return strings.TrimSpace(s + " " + v.args)
}

func writeFlags(w io.Writer, table []flags.Flag) {
	t := columns(w)
	for _, f := range flags.Shown(table) {
		name := "--" + f.Name
		if f.Short != "" {
			name = "-" + f.Short + ", " + name
		}
		if f.Arg != "" {
			name += " " + f.Arg
		}
		help := f.Help
		if f.Repeats() {
			help += " (repeatable)"
		}
		fmt.Fprintf(t, "   %s\t%s\n", name, help)
	}
	_ = t.Flush() // w is memory
}

func columns(w io.Writer) *tabwriter.Writer { return tabwriter.NewWriter(w, 0, 1, 3, ' ', 0) }
