package system

import "github.com/dhow-containers/dhow/higher/cli"

// Entries are the commands of `dhow system`.
func Entries() []cli.Entry {
	return []cli.Entry{
		{Name: "df", Short: "Show how much disk is used", New: Usage},
		{Name: "dial-stdio", Short: "Connect standard input and output with the daemon", Hidden: true, New: DialStdio},
		{Name: "events", Short: "Show what happens, as it happens", New: Events},
		{Name: "info", Short: "Show what daemon and host are like", New: Info},
		{Name: "prune", Short: "Remove what is not used", New: Prune},
	}
}
