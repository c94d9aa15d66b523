package context

import "github.com/dhow-containers/dhow/higher/cli"

// Entries are the commands of `dhow context`.
func Entries() []cli.Entry {
	return []cli.Entry{
		{Name: "create", Short: "Make a context", New: Create},
		{Name: "export", Short: "Write a context as a tar archive", New: Export},
		{Name: "import", Short: "Make a context from a tar archive", New: Import},
		{Name: "inspect", Short: "Show all about contexts", New: Inspect},
		{Name: "ls", Aliases: []string{"list"}, Short: "List contexts", New: List},
		{Name: "rm", Aliases: []string{"remove"}, Short: "Remove contexts", New: Remove},
		{Name: "show", Short: "Print the name of the context in use", New: Show},
		{Name: "update", Short: "Change a context", New: Update},
		{Name: "use", Short: "Choose the context to use", New: Use},
	}
}
