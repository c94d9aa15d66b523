package complete

import (
	"strings"

	"github.com/dhow-containers/dhow/runtime/cmd/runtime/internal/flags"
)

// Program is what there is to complete.
type Program struct {
	Name     string
	Flags    []flags.Flag // before the command
	Commands []Command
}

// Command is one command. Its first argument is one of Words, or a path as Files says, or nothing when
// both are empty, or the id of a container that "NAME list --quiet" prints.
type Command struct {
	Name    string
	Summary string
	Flags   []flags.Flag
	Words   []string
	Files   flags.Files
	IDs     bool
}

// spellings are the ways a flag can be written.
func spellings(f *flags.Flag) []string {
	if f.Short == "" {
		return []string{"--" + f.Name}
	}
	return []string{"--" + f.Name, "-" + f.Short}
}

// all joins the spellings of the flags that keep accepts.
func all(table []flags.Flag, sep string, keep func(*flags.Flag) bool) string {
	var words []string
	for i := range table {
		if f := &table[i]; keep(f) {
			words = append(words, spellings(f)...)
		}
	}
	return strings.Join(words, sep)
}

func every(*flags.Flag) bool { return true }

func takesValue(f *flags.Flag) bool { return !f.IsBool() }
