package container

import (
	"context"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/moby/moby/client"
	"golang.org/x/sys/unix"
)

// forwardSignals sends what signals arrive here to the container, until stop is called.
func forwardSignals(c *client.Client, id string) (stop func()) {
	signals := make(chan os.Signal, 128)
	signal.Notify(signals)
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		for {
			select {
			case s := <-signals:
				if name := forwarded(s); name != "" {
					c.ContainerKill(ctx, id, client.ContainerKillOptions{Signal: name})
				}
			case <-ctx.Done():
				return
			}
		}
	}()
	return func() {
		signal.Stop(signals)
		cancel()
	}
}

// forwarded is the name of a signal, or nothing for those that are about this process: its children, its pipes, and Go's
// own signal for preemption.
func forwarded(s os.Signal) string {
	switch s {
	case syscall.SIGCHLD, syscall.SIGPIPE, syscall.SIGURG:
		return ""
	}
	n, ok := s.(syscall.Signal)
	if !ok {
		return ""
	}
	return strings.TrimPrefix(unix.SignalName(n), "SIG")
}
