package swarm

import (
	"errors"

	"github.com/moby/moby/api/types/plugin"
	"github.com/moby/moby/client"
	"github.com/spf13/cobra"

	"github.com/dhow-containers/dhow/higher/cli"
	"github.com/dhow-containers/dhow/higher/cli/format"
	"github.com/dhow-containers/dhow/higher/cli/opts"
)

// Plugins is `dhow plugin`: a daemon's plugins can be listed, and no more.
func Plugins() cli.Entry {
	g := cli.Entry{Name: "plugin", Short: "Plugins (dhow has none)"}
	for _, v := range []string{"create", "disable", "enable", "inspect", "install", "push", "rm", "set", "upgrade"} {
		g.Entries = append(g.Entries, noPlugin(v))
	}
	g.Entries = cli.Sorted(append(g.Entries, cli.Entry{Name: "ls", Aliases: []string{"list"}, Short: "List plugins", New: listPlugins}))
	return g
}

func noPlugin(verb string) cli.Entry {
	short := "Not available: dhow has no plugins"
	return cli.Entry{Name: verb, Short: short, New: func(*cli.App) *cobra.Command {
		return &cobra.Command{Use: verb, Short: short, DisableFlagParsing: true, RunE: func(*cobra.Command, []string) error {
			return errors.New("plugins are not supported")
		}}
	}}
}

func listPlugins(a *cli.App) *cobra.Command {
	var quiet, noTrunc bool
	var source string
	var filters client.Filters
	c := &cobra.Command{
		Use: "ls [OPTIONS]", Short: "List plugins", Args: cli.NoArgs, ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := a.Client()
			if err != nil {
				return err
			}
			r, err := c.PluginList(cmd.Context(), client.PluginListOptions{Filters: filters})
			if err != nil {
				return err
			}
			rows := make([]*pluginRow, len(r.Items))
			for i := range r.Items {
				rows[i] = &pluginRow{&r.Items[i], !noTrunc}
			}
			if quiet && (source == "" || source == "table") {
				source = "{{.ID}}"
			}
			return format.Rows(a.Out, source, `{{.ID}}\t{{.Name}}\t{{.Description}}\t{{.Enabled}}`,
				format.Headings{"ID": "ID", "Name": "NAME", "Description": "DESCRIPTION", "Enabled": "ENABLED", "PluginReference": "PLUGIN REFERENCE"}, rows)
		},
	}
	fs := c.Flags()
	fs.BoolVarP(&quiet, "quiet", "q", false, "Print ids only")
	fs.BoolVar(&noTrunc, "no-trunc", false, "Do not shorten anything")
	fs.StringVar(&source, "format", "", "How to print: 'table', 'table TEMPLATE', 'json', or a Go template")
	filters = opts.Filter(fs, "f", "Show only what meets conditions")
	return cli.Aliased(c, "plugin ls", "plugin list")
}

// pluginRow is a plugin as templates see it.
type pluginRow struct {
	p     *plugin.Plugin
	short bool
}

func (r *pluginRow) MarshalJSON() ([]byte, error) { return format.Fields(r) }

func (r *pluginRow) ID() string {
	if r.short {
		return format.ShortID(r.p.ID)
	}
	return r.p.ID
}

func (r *pluginRow) Name() string            { return r.p.Name }
func (r *pluginRow) Enabled() bool           { return r.p.Enabled }
func (r *pluginRow) PluginReference() string { return r.p.PluginReference }

func (r *pluginRow) Description() string {
	if r.short {
		return format.Ellipsis(r.p.Config.Description, 45)
	}
	return r.p.Config.Description
}
