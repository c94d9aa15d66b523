package complete

import (
	"fmt"
	"io"
	"strings"

	"github.com/dhow-containers/dhow/runtime/cmd/runtime/internal/flags"
)

// Bash writes a script for bash: source it, or put it where bash-completion looks.
func Bash(w io.Writer, p Program) error {
	var b strings.Builder
	fmt.Fprintf(&b, "# bash completion for %s\n\n", p.Name)
	bashTable(&b, p, "flags", "prints the flags of command $1", func(c *Command) string {
		return "echo " + all(c.Flags, " ", every)
	})
	bashTable(&b, p, "values", "prints the flags of command $1 that take a value", func(c *Command) string {
		return "echo " + all(c.Flags, " ", takesValue)
	})
	bashValues(&b, p)
	bashTable(&b, p, "argument", "offers what command $1 may be given first", func(c *Command) string {
		return bashArgument(p, c)
	})
	b.WriteString(strings.ReplaceAll(bashMain, "NAME", p.Name))
	_, err := io.WriteString(w, b.String())
	return err
}

// bashTable writes a function that does, for the command named by $1, what body says; no command is the
// program itself.
func bashTable(b *strings.Builder, p Program, name, comment string, body func(*Command) string) {
	fmt.Fprintf(b, "# %s\n_%s_%s() {\n    case $1 in\n", comment, p.Name, name)
	self := Command{Flags: p.Flags}
	for _, c := range p.Commands {
		self.Words = append(self.Words, c.Name)
	}
	fmt.Fprintf(b, "    '') %s ;;\n", body(&self))
	for i := range p.Commands {
		fmt.Fprintf(b, "    %s) %s ;;\n", p.Commands[i].Name, body(&p.Commands[i]))
	}
	b.WriteString("    esac\n}\n\n")
}

func bashArgument(p Program, c *Command) string {
	switch {
	case c.Words != nil:
		return fmt.Sprintf(`COMPREPLY=($(compgen -W '%s' -- "$cur"))`, strings.Join(c.Words, " "))
	case c.IDs && c.Files == flags.Dir:
		return fmt.Sprintf(`compopt -o filenames; COMPREPLY=($(compgen -d -- "$cur") $(compgen -W "$(_%s_ids)" -- "$cur"))`, p.Name)
	case c.IDs:
		return fmt.Sprintf(`COMPREPLY=($(compgen -W "$(_%s_ids)" -- "$cur"))`, p.Name)
	}
	return ":"
}

// bashValues writes the function that completes the value of a flag.
func bashValues(b *strings.Builder, p Program) {
	fmt.Fprintf(b, "# completes the value of flag $2 of command $1\n_%s_value() {\n    case \"$1 $2\" in\n", p.Name)
	bashValueCases(b, "", p.Flags)
	for _, c := range p.Commands {
		bashValueCases(b, c.Name, c.Flags)
	}
	b.WriteString("    esac\n}\n\n")
}

func bashValueCases(b *strings.Builder, command string, table []flags.Flag) {
	for i := range table {
		f := &table[i]
		var action string
		switch {
		case f.Choices != nil:
			action = fmt.Sprintf(`COMPREPLY=($(compgen -W '%s' -- "$cur"))`, strings.Join(f.Choices, " "))
		case f.Files == flags.Dir:
			action = `compopt -o filenames; COMPREPLY=($(compgen -d -- "$cur"))`
		case f.Files == flags.File:
			action = `compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur"))`
		default:
			continue
		}
		patterns := ""
		for j, s := range spellings(f) {
			if j > 0 {
				patterns += " | "
			}
			patterns += "'" + command + " " + s + "'"
		}
		fmt.Fprintf(b, "    %s) %s ;;\n", patterns, action)
	}
}

const bashMain = `_NAME_ids() { NAME ${root:+--root "$root"} list --quiet 2>/dev/null; }

_NAME() {
    local IFS=$' \t\n' cur=${COMP_WORDS[COMP_CWORD]} verb= flag= root= count=0 i word
    [[ $cur == = ]] && cur=
    for ((i = 1; i < COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        if [[ $word == = ]]; then
            continue
        elif [[ -n $flag ]]; then
            [[ $flag == --root ]] && root=$word
            flag=
        elif [[ $word == -* && $count == 0 ]]; then
            [[ " $(_NAME_values "$verb") " == *" $word "* ]] && flag=$word
        elif [[ -z $verb ]]; then
            verb=$word
        else
            count=$((count + 1))
        fi
    done
    COMPREPLY=()
    if [[ -n $flag ]]; then
        _NAME_value "$verb" "$flag"
    elif [[ $cur == -* && $count == 0 ]]; then
        COMPREPLY=($(compgen -W "$(_NAME_flags "$verb")" -- "$cur"))
    elif [[ $count == 0 ]]; then
        _NAME_argument "$verb"
    fi
}

complete -F _NAME NAME
`
