package volume

import (
	"cmp"
	"errors"
	"slices"
	"strconv"

	"github.com/docker/go-units"
	types "github.com/moby/moby/api/types/volume"
	"github.com/moby/moby/client"
	"github.com/spf13/cobra"

	"github.com/dhow-containers/dhow/higher/cli"
	"github.com/dhow-containers/dhow/higher/cli/format"
	"github.com/dhow-containers/dhow/higher/cli/opts"
)

// Headings are those of all fields of a volume.
var Headings = format.Headings{
	"ID": "ID", "Name": "VOLUME NAME", "Group": "GROUP", "Driver": "DRIVER", "Scope": "SCOPE", "Availability": "AVAILABILITY",
	"Mountpoint": "MOUNTPOINT", "Labels": "LABELS", "Links": "LINKS", "Size": "SIZE", "Status": "STATUS",
}

// List is `dhow volume ls`.
func List(a *cli.App) *cobra.Command {
	var quiet bool
	var source string
	var filters client.Filters
	c := &cobra.Command{
		Use: "ls [OPTIONS]", Short: "List volumes", Args: cli.NoArgs, ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if cmd.Flags().Changed("cluster") {
				return errors.New("volumes of a swarm are not supported")
			}
			c, err := a.Client()
			if err != nil {
				return err
			}
			r, err := c.VolumeList(cmd.Context(), client.VolumeListOptions{Filters: filters})
			if err != nil {
				return err
			}
			slices.SortFunc(r.Items, func(a, b types.Volume) int { return cmp.Compare(a.Name, b.Name) })
			if source == "" && !quiet {
				source = a.Config().String("volumesFormat")
			}
			if quiet && (source == "" || source == "table") {
				source = "{{.Name}}"
			}
			return format.Rows(a.Out, source, `{{.Driver}}\t{{.Name}}`, Headings, Rows(r.Items))
		},
	}
	fs := c.Flags()
	fs.BoolVarP(&quiet, "quiet", "q", false, "Print names only")
	fs.StringVar(&source, "format", "", "How to print: 'table', 'table TEMPLATE', 'json', or a Go template")
	filters = opts.Filter(fs, "f", "Show only what meets conditions")
	fs.Bool("cluster", false, "Of a swarm (not available)")
	fs.MarkHidden("cluster")
	return cli.Aliased(c, "volume ls", "volume list")
}

// Row is a volume as templates see it.
type Row struct{ v types.Volume }

// Rows makes rows of volumes.
func Rows(list []types.Volume) []*Row {
	rows := make([]*Row, len(list))
	for i, v := range list {
		rows[i] = &Row{v}
	}
	return rows
}

func (r *Row) MarshalJSON() ([]byte, error) { return format.Fields(r) }

func (r *Row) Name() string       { return r.v.Name }
func (r *Row) Driver() string     { return r.v.Driver }
func (r *Row) Scope() string      { return r.v.Scope }
func (r *Row) Mountpoint() string { return r.v.Mountpoint }
func (r *Row) Labels() string     { return format.Labels(r.v.Labels) }

// Label is one label, as in {{.Label "name"}}.
func (r *Row) Label(name string) string { return r.v.Labels[name] }

func (r *Row) Links() string {
	if r.v.UsageData == nil {
		return "N/A"
	}
	return strconv.FormatInt(r.v.UsageData.RefCount, 10)
}

func (r *Row) Size() string {
	if r.v.UsageData == nil {
		return "N/A"
	}
	return units.HumanSize(float64(r.v.UsageData.Size))
}

// Group, Availability and Status are of volumes in a swarm.
func (r *Row) Group() string        { return "N/A" }
func (r *Row) Availability() string { return "N/A" }
func (r *Row) Status() string       { return "N/A" }
