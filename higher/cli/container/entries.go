package container

import "github.com/dhow-containers/dhow/higher/cli"

// Entries are the commands of `dhow container`.
func Entries() []cli.Entry {
	return []cli.Entry{
		{Name: "attach", Short: "Attach standard streams to a running container", New: Attach},
		{Name: "commit", Short: "Make an image of a container", New: Commit},
		{Name: "cp", Short: "Copy files between a container and this host", New: Copy},
		{Name: "create", Short: "Make a container from an image, but do not start it", New: Create},
		{Name: "diff", Short: "Show how the files of a container differ from its image", New: Diff},
		{Name: "exec", Short: "Run a command in a running container", New: Exec},
		{Name: "export", Short: "Write the files of a container as a tar archive", New: Export},
		{Name: "inspect", Short: "Show all about containers", New: Inspect},
		{Name: "kill", Short: "Kill containers", New: Kill},
		{Name: "logs", Short: "Show what a container has written", New: Logs},
		{Name: "ls", Aliases: []string{"ps", "list"}, Short: "List containers", New: List},
		{Name: "pause", Short: "Freeze all processes of containers", New: Pause},
		{Name: "port", Short: "Show the published ports of a container", New: Port},
		{Name: "prune", Short: "Remove all stopped containers", New: Prune},
		{Name: "rename", Short: "Rename a container", New: Rename},
		{Name: "restart", Short: "Restart containers", New: Restart},
		{Name: "rm", Aliases: []string{"remove"}, Short: "Remove containers", New: Remove},
		{Name: "run", Short: "Make a container from an image and run it", New: Run},
		{Name: "start", Short: "Start stopped containers", New: Start},
		{Name: "stats", Short: "Show what containers use, again and again", New: Stats},
		{Name: "stop", Short: "Stop containers", New: Stop},
		{Name: "top", Short: "Show the processes of a container", New: Top},
		{Name: "unpause", Short: "Let frozen containers go on", New: Unpause},
		{Name: "update", Short: "Change limits and restart policy of containers", New: Update},
		{Name: "wait", Short: "Wait until containers stop, and print their exit codes", New: Wait},
	}
}
