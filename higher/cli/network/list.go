package network

import (
	"cmp"
	"slices"
	"strconv"

	types "github.com/moby/moby/api/types/network"
	"github.com/moby/moby/client"
	"github.com/spf13/cobra"

	"github.com/dhow-containers/dhow/higher/cli"
	"github.com/dhow-containers/dhow/higher/cli/format"
	"github.com/dhow-containers/dhow/higher/cli/opts"
)

var headings = format.Headings{
	"ID": "NETWORK ID", "Name": "NAME", "Driver": "DRIVER", "Scope": "SCOPE", "IPv4": "IPV4", "IPv6": "IPV6", "Internal": "INTERNAL",
	"Labels": "LABELS", "CreatedAt": "CREATED AT",
}

// List is `dhow network ls`.
func List(a *cli.App) *cobra.Command {
	var quiet, noTrunc bool
	var source string
	var filters client.Filters
	c := &cobra.Command{
		Use: "ls [OPTIONS]", Short: "List networks", Args: cli.NoArgs, ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := a.Client()
			if err != nil {
				return err
			}
			r, err := c.NetworkList(cmd.Context(), client.NetworkListOptions{Filters: filters})
			if err != nil {
				return err
			}
			slices.SortFunc(r.Items, func(a, b types.Summary) int { return cmp.Compare(a.Name, b.Name) })
			rows := make([]*row, len(r.Items))
			for i, n := range r.Items {
				rows[i] = &row{n, !noTrunc}
			}
			if source == "" && !quiet {
				source = a.Config().String("networksFormat")
			}
			if quiet && (source == "" || source == "table") {
				source = "{{.ID}}"
			}
			return format.Rows(a.Out, source, `{{.ID}}\t{{.Name}}\t{{.Driver}}\t{{.Scope}}`, headings, rows)
		},
	}
	fs := c.Flags()
	fs.BoolVarP(&quiet, "quiet", "q", false, "Print ids only")
	fs.BoolVar(&noTrunc, "no-trunc", false, "Do not shorten anything")
	fs.StringVar(&source, "format", "", "How to print: 'table', 'table TEMPLATE', 'json', or a Go template")
	filters = opts.Filter(fs, "f", "Show only what meets conditions")
	return cli.Aliased(c, "network ls", "network list")
}

// row is a network as templates see it.
type row struct {
	n     types.Summary
	short bool
}

func (r *row) MarshalJSON() ([]byte, error) { return format.Fields(r) }

func (r *row) ID() string {
	if r.short {
		return format.ShortID(r.n.ID)
	}
	return r.n.ID
}

func (r *row) Name() string      { return r.n.Name }
func (r *row) Driver() string    { return r.n.Driver }
func (r *row) Scope() string     { return r.n.Scope }
func (r *row) IPv4() string      { return strconv.FormatBool(r.n.EnableIPv4) }
func (r *row) IPv6() string      { return strconv.FormatBool(r.n.EnableIPv6) }
func (r *row) Internal() string  { return strconv.FormatBool(r.n.Internal) }
func (r *row) CreatedAt() string { return r.n.Created.String() }
func (r *row) Labels() string    { return format.Labels(r.n.Labels) }

// Label is one label, as in {{.Label "name"}}.
func (r *row) Label(name string) string { return r.n.Labels[name] }
