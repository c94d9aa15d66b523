package image

import (
	"strconv"
	"strings"
	"time"

	types "github.com/moby/moby/api/types/image"
	"github.com/moby/moby/client"
	"github.com/spf13/cobra"

	"github.com/dhow-containers/dhow/higher/cli"
	"github.com/dhow-containers/dhow/higher/cli/complete"
	"github.com/dhow-containers/dhow/higher/cli/format"
	"github.com/dhow-containers/dhow/higher/cli/opts"
)

var historyHeadings = format.Headings{
	"ID": "IMAGE", "CreatedSince": "CREATED", "CreatedAt": "CREATED AT", "CreatedBy": "CREATED BY", "Size": "SIZE", "Comment": "COMMENT",
}

// History is `dhow history`.
func History(a *cli.App) *cobra.Command {
	var human, quiet, noTrunc bool
	var source, platform string
	c := &cobra.Command{
		Use: "history [OPTIONS] IMAGE", Short: "Show how an image came about", Args: cli.Exact(1), ValidArgsFunction: cli.CompletedFirst(complete.Images(a)),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := a.Client()
			if err != nil {
				return err
			}
			var how []client.ImageHistoryOption
			if platform != "" {
				p, err := opts.Platform(platform)
				if err != nil {
					return err
				}
				how = append(how, client.ImageHistoryWithPlatform(*p))
			}
			r, err := c.ImageHistory(cmd.Context(), args[0], how...)
			if err != nil {
				return err
			}
			rows := make([]*layer, len(r.Items))
			for i, h := range r.Items {
				rows[i] = &layer{h, !noTrunc, human}
			}
			plain := `{{.ID}}\t{{.CreatedSince}}\t{{.CreatedBy}}\t{{.Size}}\t{{.Comment}}`
			switch {
			case quiet && (source == "" || source == "table"):
				source = "{{.ID}}"
			case !human:
				plain = `{{.ID}}\t{{.CreatedAt}}\t{{.CreatedBy}}\t{{.Size}}\t{{.Comment}}`
			}
			return format.Rows(a.Out, source, plain, historyHeadings, rows)
		},
	}
	fs := c.Flags()
	fs.BoolVarP(&human, "human", "H", true, "Print sizes and times for people")
	fs.BoolVarP(&quiet, "quiet", "q", false, "Print ids only")
	fs.BoolVar(&noTrunc, "no-trunc", false, "Do not shorten anything")
	fs.StringVar(&source, "format", "", "How to print: 'table', 'table TEMPLATE', 'json', or a Go template")
	fs.StringVar(&platform, "platform", "", `Which platform ("os[/arch[/variant]]")`)
	return cli.Aliased(c, "image history", "history")
}

// layer is one step of the history as templates see it.
type layer struct {
	h            types.HistoryResponseItem
	short, human bool
}

func (l *layer) MarshalJSON() ([]byte, error) { return format.Fields(l) }

func (l *layer) ID() string {
	if l.short {
		return format.ShortID(l.h.ID)
	}
	return l.h.ID
}

func (l *layer) CreatedAt() string { return time.Unix(l.h.Created, 0).Format(time.RFC3339) }

// reproducible is before any time that a builder means: builds that are to be the same each time set 1970 or 1980.
var reproducible = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC).Unix()

func (l *layer) CreatedSince() string {
	switch {
	case !l.human:
		return l.CreatedAt()
	case l.h.Created <= reproducible:
		return "N/A"
	}
	return format.Ago(time.Unix(l.h.Created, 0))
}

func (l *layer) CreatedBy() string {
	s := strings.ReplaceAll(l.h.CreatedBy, "\t", " ")
	if l.short {
		return format.Ellipsis(s, 45)
	}
	return s
}

func (l *layer) Size() string {
	if l.human {
		return format.Size(l.h.Size)
	}
	return strconv.FormatInt(l.h.Size, 10)
}

func (l *layer) Comment() string { return l.h.Comment }
