package network

import "github.com/dhow-containers/dhow/higher/cli"

// Entries are the commands of `dhow network`.
func Entries() []cli.Entry {
	return []cli.Entry{
		{Name: "connect", Short: "Connect a container to a network", New: Connect},
		{Name: "create", Short: "Make a network", New: Create},
		{Name: "disconnect", Short: "Disconnect a container from a network", New: Disconnect},
		{Name: "inspect", Short: "Show all about networks", New: Inspect},
		{Name: "ls", Aliases: []string{"list"}, Short: "List networks", New: List},
		{Name: "prune", Short: "Remove all unused networks", New: Prune},
		{Name: "rm", Aliases: []string{"remove"}, Short: "Remove networks", New: Remove},
	}
}
