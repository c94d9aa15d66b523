package commands

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

// ended is the cause of a context that a signal has ended.
type ended struct{ signal syscall.Signal }

func (e ended) Error() string { return fmt.Sprintf("got %v", e.signal) }

// WithSignals returns a context that ^C and SIGTERM end. The third of them ends the program at once.
func WithSignals(parent context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(parent)
	signals := make(chan os.Signal, 3)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	go func() {
		for n := 1; ; n++ {
			s := <-signals
			cancel(ended{s.(syscall.Signal)})
			if n == 3 {
				fmt.Fprintln(os.Stderr, "\ngot 3 SIGTERM/SIGINTs, forcefully exiting")
				os.Exit(1)
			}
		}
	}()
	return ctx, func() { signal.Stop(signals) }
}

func signalled(ctx context.Context) bool {
	return errors.As(context.Cause(ctx), &ended{})
}

// code is that of a shell for a command that a signal has ended.
func code(ctx context.Context) int {
	e := ended{}
	errors.As(context.Cause(ctx), &e)
	return 128 + int(e.signal)
}
