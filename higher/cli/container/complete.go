package container

import (
	types "github.com/moby/moby/api/types/container"
	"github.com/spf13/cobra"

	"github.com/dhow-containers/dhow/higher/cli"
	"github.com/dhow-containers/dhow/higher/cli/complete"
)

func all(a *cli.App) cli.Names { return complete.Containers(a, nil) }

func running(a *cli.App) cli.Names {
	return complete.Containers(a, func(s *types.Summary) bool { return s.State == types.StateRunning })
}

func paused(a *cli.App) cli.Names {
	return complete.Containers(a, func(s *types.Summary) bool { return s.State == types.StatePaused })
}

func stopped(a *cli.App) cli.Names {
	return complete.Containers(a, func(s *types.Summary) bool {
		return s.State == types.StateExited || s.State == types.StateCreated
	})
}

// completeCreation offers images, and values of the flags of run and create.
func completeCreation(a *cli.App, c *cobra.Command) {
	c.ValidArgsFunction = cli.CompletedFirst(complete.Images(a))
	cli.CompletedFlag(c, "network", complete.Networks(a))
	cli.CompletedFlag(c, "volumes-from", all(a))
	cli.CompletedFlag(c, "link", all(a))
	cli.CompletedFlag(c, "restart", cli.Fixed("no", "always", "unless-stopped", "on-failure"))
	cli.CompletedFlag(c, "pull", cli.Fixed("always", "missing", "never"))
	cli.CompletedFlag(c, "log-driver", cli.Fixed("json-file", "local", "none"))
	cli.CompletedFlag(c, "cgroupns", cli.Fixed("host", "private"))
	cli.CompletedFlag(c, "ipc", cli.Fixed("none", "private", "shareable", "host", "container:"))
	cli.CompletedFlag(c, "pid", cli.Fixed("host", "container:"))
	cli.CompletedFlag(c, "attach", cli.Fixed("stdin", "stdout", "stderr"))
}
