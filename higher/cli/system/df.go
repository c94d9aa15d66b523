package system

import (
	"fmt"

	"github.com/docker/go-units"
	"github.com/moby/moby/client"
	"github.com/spf13/cobra"

	"github.com/dhow-containers/dhow/higher/cli"
	"github.com/dhow-containers/dhow/higher/cli/builder"
	"github.com/dhow-containers/dhow/higher/cli/container"
	"github.com/dhow-containers/dhow/higher/cli/format"
	"github.com/dhow-containers/dhow/higher/cli/image"
	"github.com/dhow-containers/dhow/higher/cli/volume"
)

// Usage is `dhow system df`.
func Usage(a *cli.App) *cobra.Command {
	var verbose bool
	var source string
	c := &cobra.Command{
		Use: "df [OPTIONS]", Short: "Show how much disk is used", Args: cli.NoArgs, ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := a.Client()
			if err != nil {
				return err
			}
			r, err := c.DiskUsage(cmd.Context(), client.DiskUsageOptions{Verbose: verbose})
			if err != nil {
				return err
			}
			if verbose {
				return details(a, r, source)
			}
			return format.Rows(a.Out, source, `{{.Type}}\t{{.TotalCount}}\t{{.Active}}\t{{.Size}}\t{{.Reclaimable}}`, usageHeadings, usageRows(r))
		},
	}
	c.Flags().BoolVarP(&verbose, "verbose", "v", false, "Show each image, container and volume")
	c.Flags().StringVar(&source, "format", "", "How to print: 'table', 'table TEMPLATE', 'json', or a Go template")
	return c
}

var usageHeadings = format.Headings{"Type": "TYPE", "TotalCount": "TOTAL", "Active": "ACTIVE", "Size": "SIZE", "Reclaimable": "RECLAIMABLE"}

// usage is what one kind of thing takes, as templates see it.
type usage struct {
	kind                             string
	total, active, size, reclaimable int64
	percent                          bool
}

func usageRows(r client.DiskUsageResult) []*usage {
	return []*usage{
		{"Images", r.Images.TotalCount, r.Images.ActiveCount, r.Images.TotalSize, r.Images.Reclaimable, true},
		{"Containers", r.Containers.TotalCount, r.Containers.ActiveCount, r.Containers.TotalSize, r.Containers.Reclaimable, true},
		{"Local Volumes", r.Volumes.TotalCount, r.Volumes.ActiveCount, r.Volumes.TotalSize, r.Volumes.Reclaimable, true},
		{"Build Cache", r.BuildCache.TotalCount, r.BuildCache.ActiveCount, r.BuildCache.TotalSize, r.BuildCache.Reclaimable, false},
	}
}

func (u *usage) MarshalJSON() ([]byte, error) { return format.Fields(u) }

func (u *usage) Type() string       { return u.kind }
func (u *usage) TotalCount() string { return fmt.Sprint(u.total) }
func (u *usage) Active() string     { return fmt.Sprint(u.active) }
func (u *usage) Size() string       { return units.HumanSize(float64(u.size)) }

func (u *usage) Reclaimable() string {
	s := units.HumanSize(float64(u.reclaimable))
	if u.percent && u.size > 0 {
		s += fmt.Sprintf(" (%d%%)", u.reclaimable*100/u.size)
	}
	return s
}

// details shows all of each kind: as four tables, or through one template.
func details(a *cli.App, r client.DiskUsageResult, source string) error {
	table := source == "" || source == "table"
	images, containers := image.UsageRows(r.Images.Items, table), container.UsageRows(r.Containers.Items, table)
	volumes, cache := volume.Rows(r.Volumes.Items), builder.Rows(r.BuildCache.Items, table)
	if !table {
		if source == "json" {
			source = "{{json .}}"
		}
		t, err := format.Parse(source)
		if err != nil {
			return fmt.Errorf("template parsing error: %w", err)
		}
		err = t.Execute(a.Out, map[string]any{"Images": images, "Containers": containers, "Volumes": volumes, "BuildCache": cache})
		return err
	}
	fmt.Fprint(a.Out, "Images space usage:\n\n")
	if err := format.Rows(a.Out, "", image.UsageTable, image.Headings(), images); err != nil {
		return err
	}
	fmt.Fprint(a.Out, "\nContainers space usage:\n\n")
	if err := format.Rows(a.Out, "", container.UsageTable, container.Headings(), containers); err != nil {
		return err
	}
	fmt.Fprint(a.Out, "\nLocal Volumes space usage:\n\n")
	if err := format.Rows(a.Out, "", `{{.Name}}\t{{.Links}}\t{{.Size}}`, volume.Headings, volumes); err != nil {
		return err
	}
	fmt.Fprintf(a.Out, "\nBuild cache usage: %s\n\n", units.HumanSize(float64(r.BuildCache.TotalSize)))
	return format.Rows(a.Out, "", builder.Table, builder.Headings, cache)
}
