package main

import (
	"fmt"

	"github.com/dhow-containers/dhow/runtime/cmd/runtime/internal/complete"
	"github.com/dhow-containers/dhow/runtime/cmd/runtime/internal/flags"
)

type completionCommand struct{ noFlags }

func completionVerb() *verb {
	return &verb{
		name:    "completion",
		args:    "bash|zsh|fish",
		summary: "write a completion script for a shell",
		about: `Prints a script that completes commands, flags and container ids. For the running shell:

   bash:  source <(runtime completion bash)
   zsh:   source <(runtime completion zsh)
   fish:  runtime completion fish | source`,
		min:   1,
		max:   1,
		words: []string{"bash", "zsh", "fish"},
		new:   func() command { return &completionCommand{} },
	}
}

func (c *completionCommand) run(a *app, args []string) (int, error) {
	switch args[0] {
	case "bash":
		return 0, complete.Bash(a.out, completionProgram())
	case "zsh":
		return 0, complete.Zsh(a.out, completionProgram())
	case "fish":
		return 0, complete.Fish(a.out, completionProgram())
	}
	return 1, &usageError{err: fmt.Errorf("cannot complete for shell %q: want bash, zsh or fish", args[0])}
}

// completionProgram is the table of verbs as package complete wants it.
func completionProgram() complete.Program {
	var help bool
	p := complete.Program{Name: "runtime", Flags: (&globals{}).flags()}
	for _, v := range verbs() {
		p.Commands = append(p.Commands, complete.Command{
			Name:    v.name,
			Summary: v.summary,
			Flags:   flags.Shown(append(v.new().flags(), flags.Help(&help))),
			Words:   v.words,
			Files:   v.files,
			IDs:     v.min > 0 && v.words == nil,
		})
	}
	return p
}
