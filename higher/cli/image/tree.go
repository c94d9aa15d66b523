package image

import (
	"fmt"
	"io"
	"slices"
	"text/tabwriter"

	"github.com/containerd/platforms"
	types "github.com/moby/moby/api/types/image"

	"github.com/dhow-containers/dhow/higher/cli/format"
)

// tree shows images with the manifests of their platforms below them.
func tree(w io.Writer, list []types.Summary) error {
	t := tabwriter.NewWriter(w, 0, 1, 3, ' ', 0)
	fmt.Fprintln(t, "IMAGE\tID\tDISK USAGE\tCONTENT SIZE\tEXTRA")
	for _, i := range list {
		name := "<untagged>"
		if len(i.RepoTags) > 0 {
			name = i.RepoTags[0]
		}
		var shown []types.ManifestSummary
		content, used := int64(0), i.Containers > 0
		for _, m := range i.Manifests {
			content += m.Size.Content
			if m.Kind == types.ManifestKindImage && m.ImageData != nil {
				shown = append(shown, m)
				used = used || len(m.ImageData.Containers) > 0
			}
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", name, format.ShortID(i.ID), format.Size(i.Size), format.Size(content), mark(used))
		for n, m := range shown {
			branch := "├─"
			if n == len(shown)-1 {
				branch = "└─"
			}
			fmt.Fprintf(t, "%s %s\t%s\t%s\t%s\t%s\n", branch, platforms.FormatAll(m.ImageData.Platform), format.ShortID(m.ID), format.Size(m.Size.Total),
				format.Size(m.Size.Content), mark(len(m.ImageData.Containers) > 0))
		}
		for _, other := range slices.Clip(i.RepoTags)[min(1, len(i.RepoTags)):] {
			fmt.Fprintf(t, "%s\t%s\t\t\t\n", other, format.ShortID(i.ID))
		}
	}
	return t.Flush()
}

func mark(used bool) string {
	if used {
		return "in use"
	}
	return ""
}
