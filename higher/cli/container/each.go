package container

import (
	"context"
	"errors"
	"fmt"

	"github.com/moby/moby/client"

	"github.com/dhow-containers/dhow/higher/cli"
)

// parallel bounds what is under way at once.
const parallel = 50

// each does op for all containers, many at a time, and prints the names of those that went well, in order.
func each(ctx context.Context, a *cli.App, names []string, op func(context.Context, *client.Client, string) error) error {
	return eachBut(ctx, a, names, func(error) bool { return false }, op)
}

// eachBut is each with errors that count as nothing to do: they are printed, but are no failure.
func eachBut(ctx context.Context, a *cli.App, names []string, ignore func(error) bool, op func(context.Context, *client.Client, string) error) error {
	c, err := a.Client()
	if err != nil {
		return err
	}
	results := make([]chan error, len(names))
	slots := make(chan struct{}, parallel)
	for i := range names {
		results[i] = make(chan error, 1)
	}
	go func() {
		for i, n := range names {
			slots <- struct{}{}
			go func() {
				results[i] <- op(ctx, c, n)
				<-slots
			}()
		}
	}()
	var errs []error
	for i, n := range names {
		switch err := <-results[i]; {
		case err == nil:
			fmt.Fprintln(a.Out, n)
		case ignore(err):
			fmt.Fprintln(a.Err, err)
		default:
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}
