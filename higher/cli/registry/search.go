package registry

import (
	"fmt"
	"strconv"
	"strings"

	types "github.com/moby/moby/api/types/registry"
	"github.com/moby/moby/client"
	"github.com/spf13/cobra"

	"github.com/dhow-containers/dhow/higher/cli"
	"github.com/dhow-containers/dhow/higher/cli/config"
	"github.com/dhow-containers/dhow/higher/cli/format"
	"github.com/dhow-containers/dhow/higher/cli/opts"
)

// Search is `dhow search`.
func Search(a *cli.App) *cobra.Command {
	var o client.ImageSearchOptions
	var source string
	var noTrunc bool
	c := &cobra.Command{
		Use: "search [OPTIONS] TERM", Short: "Look for images in Docker Hub", Args: cli.Exact(1), ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, args []string) error {
			auth, err := a.Config().Credentials(registryOf(args[0]))
			if err != nil {
				return err
			}
			if o.RegistryAuth, err = config.Encode(auth); err != nil {
				return err
			}
			c, err := a.Client()
			if err != nil {
				return err
			}
			r, err := c.ImageSearch(cmd.Context(), args[0], o)
			if err != nil {
				return err
			}
			rows := make([]*found, len(r.Items))
			for i, s := range r.Items {
				rows[i] = &found{s: s, short: !noTrunc}
			}
			return format.Rows(a.Out, source, `{{.Name}}\t{{.Description}}\t{{.StarCount}}\t{{.IsOfficial}}`,
				format.Headings{"Name": "NAME", "Description": "DESCRIPTION", "StarCount": "STARS", "IsOfficial": "OFFICIAL", "IsAutomated": "AUTOMATED"}, rows)
		},
	}
	fs := c.Flags()
	fs.BoolVar(&noTrunc, "no-trunc", false, "Do not shorten anything")
	o.Filters = opts.Filter(fs, "f", "Show only what meets conditions")
	fs.IntVar(&o.Limit, "limit", 0, "At most this many")
	fs.StringVar(&source, "format", "", "How to print: 'table TEMPLATE', 'json', or a Go template")
	return c
}

// registryOf is the registry that a term to look for names, or Docker Hub.
func registryOf(term string) string {
	host, _, ok := strings.Cut(term, "/")
	if !ok || !strings.ContainsAny(host, ".:") && host != "localhost" {
		return config.DockerHub
	}
	return host
}

// found is an image that was found, as templates see it.
type found struct {
	s     types.SearchResult
	short bool
	plain bool // booleans as such
}

func (f *found) MarshalJSON() ([]byte, error) {
	return format.Fields(&fields{found{s: f.s, short: f.short, plain: true}})
}

// fields is found without its own JSON.
type fields struct{ f found }

func (x *fields) Name() string        { return x.f.Name() }
func (x *fields) Description() string { return x.f.Description() }
func (x *fields) StarCount() string   { return x.f.StarCount() }
func (x *fields) IsOfficial() string  { return x.f.IsOfficial() }
func (x *fields) IsAutomated() string { return x.f.IsAutomated() }

func (f *found) Name() string      { return f.s.Name }
func (f *found) StarCount() string { return strconv.Itoa(f.s.StarCount) }

func (f *found) Description() string {
	d := strings.NewReplacer("\n", " ", "\r", " ").Replace(f.s.Description)
	if f.short {
		return format.Ellipsis(d, 45)
	}
	return d
}

func (f *found) IsOfficial() string { return f.yes(f.s.IsOfficial) }

// IsAutomated is of the past: no image is any more.
func (f *found) IsAutomated() string { return f.yes(false) }

func (f *found) yes(b bool) string {
	switch {
	case f.plain:
		return fmt.Sprint(b)
	case b:
		return "[OK]"
	}
	return ""
}
