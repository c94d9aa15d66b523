package container

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/dhow-containers/dhow/higher/cli"
)

// followSize tells the process how large the terminal is, now and whenever that changes, until ctx ends. resize is the call
// for it. A process that has not come about yet may have no terminal to resize: then the next change does it, and for a
// container the size was in the request that made it.
func followSize(ctx context.Context, a *cli.App, resize func(ctx context.Context, height, width uint) error) {
	size := func() {
		if h, w := a.Out.Size(); h != 0 || w != 0 {
			resize(ctx, h, w)
		}
	}
	changes := make(chan os.Signal, 1)
	signal.Notify(changes, syscall.SIGWINCH)
	size()
	go func() {
		defer signal.Stop(changes)
		for {
			select {
			case <-changes:
				size()
			case <-ctx.Done():
				return
			}
		}
	}()
}
