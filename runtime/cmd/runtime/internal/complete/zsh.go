package complete

import (
	"fmt"
	"io"
	"strings"

	"github.com/dhow-containers/dhow/runtime/cmd/runtime/internal/flags"
)

// Zsh writes a script for zsh: put it as _NAME into a directory of $fpath, or source it after compinit.
func Zsh(w io.Writer, p Program) error {
	var b strings.Builder
	fmt.Fprintf(&b, "#compdef %s\n\n", p.Name)
	fmt.Fprintf(&b, zshIDs, p.Name)
	fmt.Fprintf(&b, "_%s_commands() {\n    local -a commands=(\n", p.Name)
	for _, c := range p.Commands {
		fmt.Fprintf(&b, "        %s\n", zshQuote(c.Name+":"+strings.ReplaceAll(c.Summary, ":", `\:`)))
	}
	b.WriteString("    )\n    _describe command commands\n}\n\n")
	fmt.Fprintf(&b, "_%s() {\n    local curcontext=$curcontext state line root\n    typeset -A opt_args\n    _arguments -C -A '-*' \\\n", p.Name)
	zshFlags(&b, p.Flags, "        ")
	fmt.Fprintf(&b, "        '1:command:_%s_commands' '*::argument:->argument'\n", p.Name)
	b.WriteString("    [[ $state == argument ]] || return\n    root=${opt_args[--root]}\n    case $line[1] in\n")
	for i := range p.Commands {
		zshCommand(&b, p, &p.Commands[i])
	}
	fmt.Fprintf(&b, "    esac\n}\n\nif [[ $funcstack[1] == _%s ]]; then\n    _%[1]s \"$@\"\nelse\n    compdef _%[1]s %[1]s\nfi\n", p.Name)
	_, err := io.WriteString(w, b.String())
	return err
}

const zshIDs = `_%[1]s_ids() {
    local -a ids=(${(f)"$(%[1]s ${root:+--root} $root list --quiet 2>/dev/null)"})
    compadd -a ids
}

`

func zshCommand(b *strings.Builder, p Program, c *Command) {
	fmt.Fprintf(b, "    %s)\n        _arguments -A '-*' \\\n", c.Name)
	zshFlags(b, c.Flags, "            ")
	fmt.Fprintf(b, "            %s\n        ;;\n", zshQuote("1:argument:"+zshArgument(p, c)))
}

func zshArgument(p Program, c *Command) string {
	switch {
	case c.Words != nil:
		return "(" + strings.Join(c.Words, " ") + ")"
	case c.IDs && c.Files == flags.Dir:
		return fmt.Sprintf("{ _%s_ids; _directories }", p.Name)
	case c.IDs:
		return fmt.Sprintf("_%s_ids", p.Name)
	}
	return " "
}

// zshFlags writes a line of _arguments specs for each flag.
func zshFlags(b *strings.Builder, table []flags.Flag, indent string) {
	for i := range table {
		f := &table[i]
		others := "(" + strings.Join(spellings(f), " ") + ")"
		if f.Repeats() {
			others = "*"
		}
		b.WriteString(indent)
		for _, s := range spellings(f) {
			b.WriteString(zshQuote(others+s+zshValue(f)) + " ")
		}
		b.WriteString("\\\n")
	}
}

// zshValue is what follows a flag's name in a spec: how its value is joined on, its help, its value.
func zshValue(f *flags.Flag) string {
	help := "[" + strings.NewReplacer("[", `\[`, "]", `\]`, ":", `\:`).Replace(f.Help) + "]"
	if f.IsBool() {
		return help
	}
	arg := strings.NewReplacer(":", `\:`, "[", "", "]", "").Replace(f.Arg)
	switch {
	case f.Choices != nil:
		return "=" + help + ":" + arg + ":(" + strings.Join(f.Choices, " ") + ")"
	case f.Files == flags.Dir:
		return "=" + help + ":" + arg + ":_directories"
	case f.Files == flags.File:
		return "=" + help + ":" + arg + ":_files"
	}
	return "=" + help + ":" + arg + ": "
}

func zshQuote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
