// Command dhow is the command line of the engine: docker's commands and flags, for dhowd or any daemon with the Docker API.
package main

import (
	"context"
	"os"

	"github.com/dhow-containers/dhow/higher/cli"
	"github.com/dhow-containers/dhow/higher/cli/commands"
)

func main() {
	ctx, stop := commands.WithSignals(context.Background())
	code := commands.Main(ctx, cli.New(), os.Args[1:])
	stop()
	os.Exit(code)
}
