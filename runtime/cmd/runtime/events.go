package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/dhow-containers/dhow/runtime/cmd/runtime/internal/flags"
	"github.com/dhow-containers/dhow/runtime/container"
)

type eventsCommand struct {
	interval string
	stats    bool
}

func eventsVerb() *verb {
	return &verb{
		name:    "events",
		args:    "ID",
		summary: "show what a container uses, and when it runs out of memory",
		about: `Prints a JSON object a line, as runc does: of the type "stats" at every interval, and of the type "oom"
whenever the kernel has killed a process of the container ID, or of a group around it, for want of memory.
Ends with the container. All statistics are 0 where a rootless container has no control group.`,
		min: 1,
		max: 1,
		new: func() command { return &eventsCommand{interval: "5s"} },
	}
}

func (c *eventsCommand) flags() []flags.Flag {
	return []flags.Flag{
		{Name: "interval", Arg: "DURATION", Value: &c.interval, Help: "time between two statistics, such as 500ms or 1m (default: 5s)"},
		{Name: "stats", Value: &c.stats, Help: "print the statistics once, at once, and nothing else"},
	}
}

func (c *eventsCommand) run(a *app, args []string) (int, error) {
	interval, err := time.ParseDuration(c.interval)
	if err == nil && interval <= 0 {
		err = errors.New("not above 0")
	}
	if err != nil {
		return 1, &usageError{err: fmt.Errorf("cannot use --interval %q: %w", c.interval, err)}
	}
	id := args[0]
	if c.stats {
		stats, err := a.open(a).Stats(id)
		if err != nil {
			return 1, err
		}
		return 0, writeJSON(a.out, eventView{Type: "stats", ID: id, Data: newStatsView(stats)}, "")
	}
	return 0, a.open(a).Events(id, interval, func(e container.Event) error {
		view := eventView{Type: "oom", ID: id}
		if e.Stats != nil {
			view.Type, view.Data = "stats", newStatsView(e.Stats)
		}
		return writeJSON(a.out, view, "")
	})
}
