package container

import (
	"context"
	"fmt"
	"io"

	"github.com/moby/moby/client"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/dhow-containers/dhow/higher/cli"
	"github.com/dhow-containers/dhow/higher/cli/format"
	"github.com/dhow-containers/dhow/higher/cli/opts"
)

const listTable = `{{.ID}}\t{{.Image}}\t{{.Command}}\t{{.RunningFor}}\t{{.Status}}\t{{.Ports}}\t{{.Names}}`

var listHeadings = format.Headings{
	"ID": "CONTAINER ID", "Names": "NAMES", "Image": "IMAGE", "Command": "COMMAND", "CreatedAt": "CREATED AT", "RunningFor": "CREATED",
	"Ports": "PORTS", "State": "STATE", "Status": "STATUS", "Size": "SIZE", "Labels": "LABELS", "Mounts": "MOUNTS",
	"LocalVolumes": "LOCAL VOLUMES", "Networks": "NETWORKS", "Platform": "PLATFORM", "HealthStatus": "HEALTH STATUS",
}

type listOptions struct {
	all, latest, quiet, noTrunc, size bool

	last    int
	format  string
	filters client.Filters
	set     *pflag.FlagSet
}

// List is `dhow ps` and `dhow container ls`.
func List(a *cli.App) *cobra.Command {
	var o listOptions
	c := &cobra.Command{
		Use: "ls [OPTIONS]", Short: "List containers", Args: cli.NoArgs, ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error { return o.list(cmd.Context(), a) },
	}
	fs := c.Flags()
	o.set = fs
	fs.BoolVarP(&o.quiet, "quiet", "q", false, "Print ids only")
	fs.BoolVarP(&o.size, "size", "s", false, "Show the size of the files")
	fs.BoolVarP(&o.all, "all", "a", false, "Show those that do not run, too")
	fs.BoolVar(&o.noTrunc, "no-trunc", false, "Do not shorten anything")
	fs.BoolVarP(&o.latest, "latest", "l", false, "Show the newest one, running or not")
	fs.IntVarP(&o.last, "last", "n", -1, "Show this many of the newest, running or not")
	fs.StringVar(&o.format, "format", "", "How to print: 'table', 'table TEMPLATE', 'json', or a Go template")
	o.filters = opts.Filter(fs, "f", "Show only what meets conditions")
	return cli.Aliased(c, "container ls", "container list", "container ps", "ps")
}

func (o *listOptions) list(ctx context.Context, a *cli.App) error {
	if o.format == "" {
		o.format = a.Config().String("psFormat")
	} else if o.quiet {
		io.WriteString(a.Err, "WARNING: Ignoring custom format, because both --format and --quiet are set.\n")
	}
	q := client.ContainerListOptions{All: o.all, Limit: o.last, Size: o.size, Filters: o.filters}
	if o.latest && o.last == -1 {
		q.Limit = 1
	}
	needed, err := needsSize(o.format)
	if err != nil {
		return err
	}
	q.Size = q.Size || needed && !o.quiet && !o.set.Changed("size")
	c, err := a.Client()
	if err != nil {
		return err
	}
	r, err := c.ContainerList(ctx, q)
	if err != nil {
		return err
	}
	rows := make([]*row, len(r.Items))
	for i := range r.Items {
		rows[i] = &row{c: &r.Items[i], short: !o.noTrunc}
	}
	source, plain := o.format, listTable
	if o.quiet {
		source = "{{.ID}}"
	}
	if q.Size {
		plain += `\t{{.Size}}`
	}
	return format.Rows(a.Out, source, plain, listHeadings, rows)
}

// needsSize tells whether a template wants the size of the files, which costs the daemon time; so it is not asked for else.
func needsSize(source string) (bool, error) {
	if source == "" {
		return false, nil
	}
	t, err := format.Parse(source)
	if err != nil {
		return false, fmt.Errorf("failed to parse template: %w", err)
	}
	probe := newProbe()
	if err := t.Execute(io.Discard, probe); err != nil {
		return false, fmt.Errorf("failed to execute template: %w", err)
	}
	return probe.sized, nil
}
