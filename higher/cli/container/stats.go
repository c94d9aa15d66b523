package container

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"time"

	"github.com/moby/moby/api/types/events"
	"github.com/moby/moby/client"
	"github.com/spf13/cobra"

	"github.com/dhow-containers/dhow/higher/cli"
	"github.com/dhow-containers/dhow/higher/cli/format"
)

type statsOptions struct {
	all, noStream, noTrunc bool

	format string
}

// Stats is `dhow stats`.
func Stats(a *cli.App) *cobra.Command {
	var o statsOptions
	c := &cobra.Command{
		Use: "stats [OPTIONS] [CONTAINER...]", Short: "Show what containers use, again and again", ValidArgsFunction: cli.Completed(running(a)),
		RunE: func(cmd *cobra.Command, args []string) error { return o.stats(cmd.Context(), a, args) },
	}
	fs := c.Flags()
	fs.BoolVarP(&o.all, "all", "a", false, "Show those that do not run, too")
	fs.BoolVar(&o.noStream, "no-stream", false, "Show it once")
	fs.BoolVar(&o.noTrunc, "no-trunc", false, "Do not shorten anything")
	fs.StringVar(&o.format, "format", "", "How to print: 'table', 'table TEMPLATE', 'json', or a Go template")
	return cli.Aliased(c, "container stats", "stats")
}

func (o *statsOptions) stats(ctx context.Context, a *cli.App, names []string) error {
	if o.format == "" {
		o.format = a.Config().String("statsFormat")
	}
	c, err := a.Client()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	m := newMeters(ctx, c, !o.noStream)
	var ended <-chan error
	if len(names) == 0 {
		if ended, err = o.everything(ctx, c, m); err != nil {
			return err
		}
	} else {
		for _, n := range names {
			m.add(n)
		}
	}
	m.first()
	if len(names) > 0 {
		if err := m.errors(); err != nil {
			return err
		}
	}
	if o.noStream {
		if rows := m.rows(o.noTrunc); len(rows) > 0 {
			return format.Rows(a.Out, o.format, statsTable, statsHeadings, rows)
		}
		return nil
	}
	return o.repeat(ctx, a, m, ended, len(names) > 0)
}

// everything measures all containers, and those that come. Events are subscribed to first, so that none comes in between.
func (o *statsOptions) everything(ctx context.Context, c *client.Client, m *meters) (<-chan error, error) {
	e := c.Events(ctx, client.EventsListOptions{Filters: client.Filters{}.Add("type", string(events.ContainerEventType))})
	r, err := c.ContainerList(ctx, client.ContainerListOptions{All: o.all})
	if err != nil {
		return nil, err
	}
	for _, s := range r.Items {
		m.add(format.ShortID(s.ID))
	}
	ended := make(chan error, 1)
	go func() {
		for {
			select {
			case msg := <-e.Messages:
				o.event(m, msg)
			case err := <-e.Err:
				ended <- err
				return
			}
		}
	}()
	return ended, nil
}

func (o *statsOptions) event(m *meters, msg events.Message) {
	switch msg.Action {
	case events.ActionStart:
		m.add(format.ShortID(msg.Actor.ID))
	case events.ActionCreate:
		if o.all {
			m.add(format.ShortID(msg.Actor.ID))
		}
	case events.ActionDie:
		if !o.all {
			m.remove(format.ShortID(msg.Actor.ID))
		}
	case events.ActionDestroy:
		m.remove(format.ShortID(msg.Actor.ID))
	}
}

// repeat prints twice a second: on a terminal over what was there, else one after the other.
func (o *statsOptions) repeat(ctx context.Context, a *cli.App, m *meters, ended <-chan error, named bool) error {
	t := time.NewTicker(500 * time.Millisecond)
	defer t.Stop()
	for {
		select {
		case <-t.C:
			rows := m.rows(o.noTrunc)
			if named && len(rows) == 0 {
				return nil
			}
			var b bytes.Buffer
			if err := format.Rows(&b, o.format, statsTable, statsHeadings, rows); err != nil {
				return err
			}
			frame := b.String()
			if a.Out.IsTerminal() {
				frame = "\033[H" + strings.ReplaceAll(frame, "\n", "\033[K\n") + "\033[J"
			}
			io.WriteString(a.Out, frame)
		case err := <-ended:
			if err == nil || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
				return nil
			}
			return err
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
