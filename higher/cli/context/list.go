package context

import (
	stdcontext "context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/dhow-containers/dhow/higher/cli"
	"github.com/dhow-containers/dhow/higher/cli/connect"
	"github.com/dhow-containers/dhow/higher/cli/contexts"
	"github.com/dhow-containers/dhow/higher/cli/format"
)

// List is `dhow context ls`.
func List(a *cli.App) *cobra.Command {
	var quiet bool
	var source string
	c := &cobra.Command{
		Use: "ls [OPTIONS]", Short: "List contexts", Args: cli.NoArgs, ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(*cobra.Command, []string) error {
			rows, err := rows(a)
			if err != nil {
				return err
			}
			if quiet && (source == "" || source == "table") {
				source = "{{.Name}}"
			}
			err = format.Rows(a.Out, source, `{{.Name}}{{if .Current}} *{{end}}\t{{.Description}}\t{{.DockerEndpoint}}\t{{.Error}}`,
				format.Headings{"Name": "NAME", "Description": "DESCRIPTION", "DockerEndpoint": "DOCKER ENDPOINT", "Error": "ERROR"}, rows)
			if v := connect.HostVariable(); err == nil && v != "" {
				fmt.Fprintf(a.Err, "Warning: %[1]s environment variable overrides the active context. To use a context, either set the global --context flag, or unset %[1]s environment variable.\n", v)
			}
			return err
		},
	}
	c.Flags().BoolVarP(&quiet, "quiet", "q", false, "Print names only")
	c.Flags().StringVar(&source, "format", "", "How to print: 'table', 'table TEMPLATE', 'json', or a Go template")
	return cli.Aliased(c, "context ls", "context list")
}

// row is a context as templates see it.
type row struct {
	name, description, host, failure string
	current                          bool
}

func (r *row) MarshalJSON() ([]byte, error) { return format.Fields(r) }

func (r *row) Name() string           { return r.name }
func (r *row) Current() bool          { return r.current }
func (r *row) DockerEndpoint() string { return r.host }
func (r *row) Error() string          { return format.Ellipsis(r.failure, 45) }
func (r *row) Description() string    { return format.Ellipsis(r.description, 60) }

func rows(a *cli.App) ([]*row, error) {
	list, err := store(a).List()
	if err != nil {
		return nil, err
	}
	now := current(a)
	all := []*row{defaultRow(a, now == contexts.Default)}
	found := now == contexts.Default
	for _, m := range list {
		r := &row{name: m.Name, description: m.Description(), host: m.Docker().Host, current: m.Name == now}
		if r.host == "" {
			r.failure = "cannot find docker endpoint in context"
		}
		found = found || r.current
		all = append(all, r)
	}
	if !found {
		_, err := store(a).Get(now)
		r := &row{name: now, current: true}
		if err != nil {
			r.failure = err.Error()
		}
		all = append(all, r)
	}
	return all, nil
}

func defaultRow(a *cli.App, current bool) *row {
	r := &row{name: contexts.Default, description: "Current DOCKER_HOST based configuration", current: current}
	o := a.Globals
	o.Context, o.Config = contexts.Default, a.Config()
	if len(o.Hosts) > 0 {
		o.Context = ""
	}
	e, err := connect.Resolve(&o)
	if err != nil {
		r.failure = err.Error()
		return r
	}
	r.host = e.Host
	return r
}

func names(a *cli.App) cli.Names {
	return func(stdcontext.Context) []string {
		all := []string{contexts.Default}
		list, err := store(a).List()
		if err != nil {
			return all
		}
		for _, m := range list {
			all = append(all, m.Name)
		}
		return all
	}
}
