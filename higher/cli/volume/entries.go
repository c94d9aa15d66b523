package volume

import "github.com/dhow-containers/dhow/higher/cli"

// Entries are the commands of `dhow volume`.
func Entries() []cli.Entry {
	return []cli.Entry{
		{Name: "create", Short: "Make a volume", New: Create},
		{Name: "inspect", Short: "Show all about volumes", New: Inspect},
		{Name: "ls", Aliases: []string{"list"}, Short: "List volumes", New: List},
		{Name: "prune", Short: "Remove unused volumes", New: Prune},
		{Name: "rm", Aliases: []string{"remove"}, Short: "Remove volumes", New: Remove},
		{Name: "update", Short: "Change a volume of a swarm", Hidden: true, New: Update},
	}
}
