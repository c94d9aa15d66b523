package system

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"text/template"
	"time"

	"github.com/moby/moby/api/types/events"
	"github.com/moby/moby/client"
	"github.com/spf13/cobra"

	"github.com/dhow-containers/dhow/higher/cli"
	"github.com/dhow-containers/dhow/higher/cli/format"
	"github.com/dhow-containers/dhow/higher/cli/opts"
)

// Events is `dhow events`.
func Events(a *cli.App) *cobra.Command {
	var o client.EventsListOptions
	var source string
	c := &cobra.Command{
		Use: "events [OPTIONS]", Short: "Show what happens, as it happens", Args: cli.NoArgs, ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			t, err := eventTemplate(source)
			if err != nil {
				return &cli.StatusError{Code: 64, Message: "Error parsing format: " + err.Error()}
			}
			c, err := a.Client()
			if err != nil {
				return err
			}
			r := c.Events(cmd.Context(), o)
			for {
				select {
				case m := <-r.Messages:
					if err := printEvent(a.Out, m, t); err != nil {
						return err
					}
				case err := <-r.Err:
					if errors.Is(err, io.EOF) {
						return nil
					}
					return err
				}
			}
		},
	}
	fs := c.Flags()
	fs.StringVar(&o.Since, "since", "", "From a time on")
	fs.StringVar(&o.Until, "until", "", "Up to a time")
	o.Filters = opts.Filter(fs, "f", "Show only what meets conditions")
	fs.StringVar(&source, "format", "", "How to print: 'json', or a Go template")
	return cli.Aliased(c, "system events", "events")
}

// eventTemplate parses a template and tries it, so that a wrong field is known before anything happens.
func eventTemplate(source string) (*template.Template, error) {
	switch source {
	case "":
		return nil, nil
	case "json":
		source = "{{json .}}"
	}
	t, err := format.Parse(source)
	if err != nil {
		return nil, err
	}
	return t, t.Execute(io.Discard, &events.Message{})
}

const nano = "2006-01-02T15:04:05.000000000Z07:00"

func printEvent(w io.Writer, m events.Message, t *template.Template) error {
	if t != nil {
		if err := t.Execute(w, m); err != nil {
			return err
		}
		_, err := fmt.Fprintln(w)
		return err
	}
	when := ""
	if m.TimeNano != 0 {
		when = time.Unix(0, m.TimeNano).Format(nano) + " "
	} else if m.Time != 0 {
		when = time.Unix(m.Time, 0).Format(nano) + " "
	}
	attributes := ""
	if len(m.Actor.Attributes) > 0 {
		attributes = " (" + strings.Join(format.SortedPairs(m.Actor.Attributes), ", ") + ")"
	}
	_, err := fmt.Fprintf(w, "%s%s %s %s%s\n", when, m.Type, m.Action, m.Actor.ID, attributes)
	return err
}
