package image

import (
	"strconv"
	"time"

	"github.com/distribution/reference"
	"github.com/docker/go-units"
	types "github.com/moby/moby/api/types/image"

	"github.com/dhow-containers/dhow/higher/cli/format"
)

var headings = format.Headings{
	"ID": "IMAGE ID", "Repository": "REPOSITORY", "Tag": "TAG", "Digest": "DIGEST", "CreatedSince": "CREATED", "CreatedAt": "CREATED AT",
	"Size": "SIZE", "Containers": "CONTAINERS", "SharedSize": "SHARED SIZE", "UniqueSize": "UNIQUE SIZE", "VirtualSize": "SIZE",
}

// row is one name of an image as templates see it.
type row struct {
	i                 types.Summary
	short             bool
	repo, tag, digest string
}

const none = "<none>"

// imageRows makes a row for each name of an image. withDigests says that a name's digests are rows of their own, all that
// names which are digests only are shown with them.
func imageRows(i types.Summary, short, withDigests, all bool) []*row {
	if dangling(&i) {
		return []*row{{i, short, none, none, none}}
	}
	order, tags, digests := names(i)
	var rows []*row
	for _, repo := range order {
		ds := digests[repo]
		if len(tags[repo]) == 0 {
			rows = append(rows, digestRows(i, short, all, repo, ds)...)
			continue
		}
		if !withDigests || len(ds) == 0 {
			ds = []string{none}
		}
		for _, t := range tags[repo] {
			for _, d := range ds {
				rows = append(rows, &row{i, short, repo, t, d})
			}
		}
	}
	return rows
}

func digestRows(i types.Summary, short, all bool, repo string, digests []string) []*row {
	if !all {
		digests = []string{""}
	}
	var rows []*row
	for _, d := range digests {
		rows = append(rows, &row{i, short, repo, none, d})
	}
	return rows
}

// names takes the names of an image apart; order is that in which the repositories come.
func names(i types.Summary) (order []string, tags, digests map[string][]string) {
	tags, digests = map[string][]string{}, map[string][]string{}
	for _, s := range i.RepoTags {
		ref, err := reference.ParseNormalizedNamed(s)
		if t, ok := ref.(reference.NamedTagged); err == nil && ok {
			n := reference.FamiliarName(ref)
			if len(tags[n]) == 0 {
				order = append(order, n)
			}
			tags[n] = append(tags[n], t.Tag())
		}
	}
	for _, s := range i.RepoDigests {
		ref, err := reference.ParseNormalizedNamed(s)
		if d, ok := ref.(reference.Canonical); err == nil && ok {
			n := reference.FamiliarName(ref)
			if len(tags[n])+len(digests[n]) == 0 {
				order = append(order, n)
			}
			digests[n] = append(digests[n], d.Digest().String())
		}
	}
	return order, tags, digests
}

func (r *row) MarshalJSON() ([]byte, error) { return format.Fields(r) }

func (r *row) ID() string {
	if r.short {
		return format.ShortID(r.i.ID)
	}
	return r.i.ID
}

func (r *row) Repository() string   { return r.repo }
func (r *row) Tag() string          { return r.tag }
func (r *row) Digest() string       { return r.digest }
func (r *row) CreatedAt() string    { return time.Unix(r.i.Created, 0).String() }
func (r *row) CreatedSince() string { return format.Ago(time.Unix(r.i.Created, 0)) }
func (r *row) Size() string         { return format.Size(r.i.Size) }

func (r *row) Containers() string {
	if r.i.Containers == -1 {
		return "N/A"
	}
	return strconv.FormatInt(r.i.Containers, 10)
}

func (r *row) SharedSize() string {
	if r.i.SharedSize == -1 {
		return "N/A"
	}
	return units.HumanSize(float64(r.i.SharedSize))
}

// VirtualSize is an older name of Size.
func (r *row) VirtualSize() string { return units.HumanSize(float64(r.i.Size)) }

func (r *row) UniqueSize() string {
	if r.i.Size == -1 || r.i.SharedSize == -1 {
		return "N/A"
	}
	return units.HumanSize(float64(r.i.Size - r.i.SharedSize))
}

// UsageRows are the rows of `dhow system df -v`: an image by its first name.
func UsageRows(list []types.Summary, short bool) []*row {
	var rows []*row
	for _, i := range list {
		all := imageRows(i, short, false, false)
		if len(all) > 0 {
			rows = append(rows, all[0])
		}
	}
	return rows
}

// UsageTable and Headings are how they are printed.
const UsageTable = `{{.Repository}}\t{{.Tag}}\t{{.ID}}\t{{.CreatedSince}}\t{{.Size}}\t{{.SharedSize}}\t{{.UniqueSize}}\t{{.Containers}}`

// Headings are those of all fields of an image.
func Headings() format.Headings { return headings }
