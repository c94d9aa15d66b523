package complete

import (
	"fmt"
	"io"
	"strings"

	"github.com/dhow-containers/dhow/runtime/cmd/runtime/internal/flags"
)

// Fish writes a script for fish: put it as NAME.fish into a directory of $fish_complete_path.
func Fish(w io.Writer, p Program) error {
	var b strings.Builder
	fmt.Fprintf(&b, "# fish completion for %s\n\n", p.Name)
	b.WriteString(strings.NewReplacer("NAME", p.Name, "VALUES", all(p.Flags, " ", takesValue)).Replace(fishFunctions))
	fmt.Fprintf(&b, "complete -c %s -f\n", p.Name)
	fishFlags(&b, p.Name, fishAt(p, ""), p.Flags)
	for i := range p.Commands {
		fishCommand(&b, p, &p.Commands[i])
	}
	_, err := io.WriteString(w, b.String())
	return err
}

const fishFunctions = `# succeeds when the command typed so far is $argv[1]; '' is none
function __NAME_at
    set -l flag
    set -l words (commandline -opc)
    for word in $words[2..-1]
        if test -n "$flag"
            set flag
            continue
        end
        switch $word
            case VALUES
                set flag $word
            case '-*'
            case '*'
                test "$word" = "$argv[1]"
                return
        end
    end
    test -z "$argv[1]"
end

function __NAME_ids
    set -l words (commandline -opc)
    set -l root
    if set -l at (contains -i -- --root $words)
        set root --root $words[(math $at + 1)]
    end
    NAME $root list --quiet 2>/dev/null
end

`

func fishAt(p Program, command string) string { return fmt.Sprintf(`"__%s_at '%s'"`, p.Name, command) }

func fishCommand(b *strings.Builder, p Program, c *Command) {
	fmt.Fprintf(b, "\ncomplete -c %s -n %s -a %s -d %s\n", p.Name, fishAt(p, ""), c.Name, fishQuote(c.Summary))
	seen := fishAt(p, c.Name)
	switch {
	case c.Words != nil:
		fmt.Fprintf(b, "complete -c %s -n %s -a %s\n", p.Name, seen, fishQuote(strings.Join(c.Words, " ")))
	case c.IDs:
		fmt.Fprintf(b, "complete -c %s -n %s -a '(__%[1]s_ids)' -d container\n", p.Name, seen)
	}
	if c.Files == flags.Dir {
		fmt.Fprintf(b, "complete -c %s -n %s -a '(__fish_complete_directories)'\n", p.Name, seen)
	}
	fishFlags(b, p.Name, seen, c.Flags)
}

func fishFlags(b *strings.Builder, program, condition string, table []flags.Flag) {
	for i := range table {
		f := &table[i]
		fmt.Fprintf(b, "complete -c %s -n %s -l %s", program, condition, f.Name)
		if f.Short != "" {
			fmt.Fprintf(b, " -s %s", f.Short)
		}
		switch {
		case f.IsBool():
		case f.Choices != nil:
			fmt.Fprintf(b, " -x -a %s", fishQuote(strings.Join(f.Choices, " ")))
		case f.Files == flags.Dir:
			b.WriteString(" -x -a '(__fish_complete_directories)'")
		case f.Files == flags.File:
			b.WriteString(" -r -F")
		default:
			b.WriteString(" -x")
		}
		fmt.Fprintf(b, " -d %s\n", fishQuote(f.Help))
	}
}

func fishQuote(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, "'", `\'`).Replace(s) + "'"
}
