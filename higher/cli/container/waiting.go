package container

import (
	"context"
	"errors"
	"fmt"

	types "github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	"github.com/dhow-containers/dhow/higher/cli"
)

// exitStatus asks for the end of a container before it is started, so that none is missed. The channel gives its status, or
// 125 when that cannot be known.
func exitStatus(ctx context.Context, a *cli.App, c *client.Client, id string, removed bool) <-chan int {
	condition := types.WaitConditionNextExit
	if removed {
		condition = types.WaitConditionRemoved
	}
	w := c.ContainerWait(ctx, id, client.ContainerWaitOptions{Condition: condition})
	status := make(chan int, 1)
	go func() {
		select {
		case r := <-w.Result:
			if r.Error != nil {
				fmt.Fprintf(a.Err, "Error waiting for container: %s\n", r.Error.Message)
				status <- 125
				return
			}
			status <- int(r.StatusCode)
		case err := <-w.Error:
			if !errors.Is(err, context.Canceled) {
				fmt.Fprintf(a.Err, "error waiting for container: %v\n", err)
			}
			status <- 125
		}
	}()
	return status
}
