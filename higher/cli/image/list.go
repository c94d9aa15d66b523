package image

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	types "github.com/moby/moby/api/types/image"
	"github.com/moby/moby/client"
	"github.com/spf13/cobra"

	"github.com/dhow-containers/dhow/higher/cli"
	"github.com/dhow-containers/dhow/higher/cli/complete"
	"github.com/dhow-containers/dhow/higher/cli/format"
	"github.com/dhow-containers/dhow/higher/cli/opts"
)

const (
	listTable    = `{{.Repository}}\t{{.Tag}}\t{{.ID}}\t{{if .CreatedSince }}{{.CreatedSince}}{{else}}N/A{{end}}\t{{.Size}}`
	digestsTable = `{{.Repository}}\t{{.Tag}}\t{{.Digest}}\t{{.ID}}\t{{if .CreatedSince }}{{.CreatedSince}}{{else}}N/A{{end}}\t{{.Size}}`
)

type listOptions struct {
	all, digests, quiet, noTrunc, tree bool

	format  string
	filters client.Filters
}

// List is `dhow images` and `dhow image ls`.
func List(a *cli.App) *cobra.Command {
	var o listOptions
	c := &cobra.Command{
		Use: "ls [OPTIONS] [REPOSITORY[:TAG]]", Short: "List images", Args: cli.AtMost(1), ValidArgsFunction: cli.CompletedFirst(complete.Images(a)),
		RunE: func(cmd *cobra.Command, args []string) error {
			name := ""
			if len(args) > 0 {
				name = args[0]
			}
			return o.list(cmd.Context(), a, name)
		},
	}
	fs := c.Flags()
	fs.BoolVarP(&o.quiet, "quiet", "q", false, "Print ids only")
	fs.BoolVarP(&o.all, "all", "a", false, "Show those without a name, too")
	fs.BoolVar(&o.noTrunc, "no-trunc", false, "Do not shorten anything")
	fs.BoolVar(&o.digests, "digests", false, "Show digests")
	fs.StringVar(&o.format, "format", "", "How to print: 'table', 'table TEMPLATE', 'json', or a Go template")
	o.filters = opts.Filter(fs, "f", "Show only what meets conditions")
	fs.BoolVar(&o.tree, "tree", false, "Show the platforms of each image")
	return cli.Aliased(c, "image ls", "image list", "images")
}

func (o *listOptions) list(ctx context.Context, a *cli.App, name string) error {
	if err := o.checkTree(); err != nil {
		return err
	}
	if name != "" {
		o.filters.Add("reference", name)
	}
	if o.format == "" && !o.quiet {
		o.format = a.Config().String("imagesFormat")
	}
	c, err := a.Client()
	if err != nil {
		return err
	}
	r, err := c.ImageList(ctx, client.ImageListOptions{All: o.all, Filters: o.filters, Manifests: o.tree})
	if err != nil {
		return err
	}
	if o.tree {
		return tree(a.Out, r.Items)
	}
	var rows []*row
	for _, i := range r.Items {
		rows = append(rows, imageRows(i, !o.noTrunc, o.digests || strings.Contains(o.format, "{{.Digest}}"), o.digests)...)
	}
	if err := o.print(a, rows); err != nil {
		return err
	}
	if len(rows) == 0 && name != "" && slices.ContainsFunc(Entries(), func(e cli.Entry) bool { return e.Name == name }) {
		fmt.Fprintf(a.Err, "No images found matching %q: did you mean \"dhow image %[1]s\"?\n", name)
	}
	return nil
}

func (o *listOptions) print(a *cli.App, rows []*row) error {
	source, plain := o.format, listTable
	switch {
	case o.digests && strings.HasPrefix(source, "table ") && !strings.Contains(source, "{{.Digest}}"):
		source += "\t{{.Digest}}"
	case (source == "" || source == "table") && o.quiet:
		source = "{{.ID}}"
	case o.digests:
		plain = digestsTable
	}
	return format.Rows(a.Out, source, plain, headings, rows)
}

func (o *listOptions) checkTree() error {
	switch {
	case !o.tree:
		return nil
	case o.quiet:
		return errors.New("--quiet is not yet supported with --tree")
	case o.noTrunc:
		return errors.New("--no-trunc is not yet supported with --tree")
	case o.digests:
		return errors.New("--show-digest is not yet supported with --tree")
	case o.format != "":
		return errors.New("--format is not yet supported with --tree")
	}
	return nil
}

func dangling(i *types.Summary) bool {
	if len(i.RepoTags) == 0 && len(i.RepoDigests) == 0 {
		return true
	}
	return len(i.RepoTags) == 1 && i.RepoTags[0] == "<none>:<none>" && len(i.RepoDigests) == 1 && i.RepoDigests[0] == "<none>@<none>"
}
