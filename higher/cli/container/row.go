package container

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/containerd/platforms"
	"github.com/distribution/reference"
	types "github.com/moby/moby/api/types/container"

	"github.com/dhow-containers/dhow/higher/cli/format"
)

// row is a container as templates see it.
type row struct {
	c     *types.Summary
	short bool
	sized bool // Size was asked for
}

func newProbe() *row { return &row{c: &types.Summary{}} }

func (r *row) MarshalJSON() ([]byte, error) { return format.Fields(r) }

func (r *row) ID() string {
	if r.short {
		return format.ShortID(r.c.ID)
	}
	return r.c.ID
}

// Names leaves out the names by which other containers link to it, unless everything is to be shown.
func (r *row) Names() string {
	var all []string
	for _, n := range r.c.Names {
		n = strings.TrimPrefix(n, "/")
		if r.short && strings.Contains(n, "/") {
			continue
		}
		if r.short {
			return n
		}
		all = append(all, n)
	}
	return strings.Join(all, ",")
}

func (r *row) Image() string {
	switch {
	case r.c.Image == "":
		return "<no image>"
	case !r.short:
		return r.c.Image
	}
	if id := format.ShortID(r.c.ImageID); id == format.ShortID(r.c.Image) {
		return id
	}
	ref, err := reference.ParseNormalizedNamed(r.c.Image)
	if err != nil {
		return r.c.Image
	}
	if _, ok := ref.(reference.Digested); ok {
		tag := ""
		if t, ok := ref.(reference.Tagged); ok {
			tag = t.Tag()
		}
		ref = reference.TrimNamed(ref)
		if tag != "" {
			if t, err := reference.WithTag(ref, tag); err == nil {
				ref = t
			}
		}
	}
	return reference.FamiliarString(ref)
}

func (r *row) Command() string {
	c := r.c.Command
	if r.short {
		c = format.Ellipsis(c, 20)
	}
	return strconv.Quote(c)
}

func (r *row) CreatedAt() string  { return time.Unix(r.c.Created, 0).String() }
func (r *row) RunningFor() string { return format.Ago(time.Unix(r.c.Created, 0)) }
func (r *row) Ports() string      { return ports(r.c.Ports) }
func (r *row) State() string      { return string(r.c.State) }
func (r *row) Status() string     { return r.c.Status }
func (r *row) Labels() string     { return format.Labels(r.c.Labels) }

// Label is one label, as in {{.Label "name"}}.
func (r *row) Label(name string) string { return r.c.Labels[name] }

func (r *row) Platform() *platform {
	d := r.c.ImageManifestDescriptor
	if d == nil || d.Platform == nil {
		return nil
	}
	return &platform{Platform: *d.Platform}
}

func (r *row) Size() string {
	r.sized = true
	s := format.Size(r.c.SizeRw)
	if r.c.SizeRootFs > 0 {
		s = fmt.Sprintf("%s (virtual %s)", s, format.Size(r.c.SizeRootFs))
	}
	return s
}

func (r *row) Mounts() string {
	var all []string
	for _, m := range r.c.Mounts {
		n := m.Name
		if n == "" {
			n = m.Source
		}
		if r.short {
			n = format.Ellipsis(n, 15)
		}
		all = append(all, n)
	}
	return strings.Join(all, ",")
}

func (r *row) LocalVolumes() string {
	n := 0
	for _, m := range r.c.Mounts {
		if m.Driver == "local" {
			n++
		}
	}
	return strconv.Itoa(n)
}

func (r *row) Networks() string {
	if r.c.NetworkSettings == nil {
		return ""
	}
	return strings.Join(sortedKeys(r.c.NetworkSettings.Networks), ",")
}

// HealthStatus is in the status for daemons that do not say it apart.
func (r *row) HealthStatus() string {
	if h := r.c.Health; h != nil && h.Status != "" {
		return string(h.Status)
	}
	_, h, ok := strings.Cut(r.c.Status, "(")
	if !ok || !strings.HasSuffix(h, ")") {
		return ""
	}
	switch h = strings.TrimPrefix(strings.TrimSuffix(h, ")"), "health: "); types.HealthStatus(h) {
	case types.Healthy, types.Unhealthy, types.Starting:
		return h
	}
	return ""
}

// platform is printed as os/arch.
type platform struct{ platforms.Platform }

func (p *platform) String() string { return platforms.FormatAll(p.Platform) }

// UsageRows are the rows of `dhow system df -v`, without the size of the images' files.
func UsageRows(list []types.Summary, short bool) []*row {
	rows := make([]*row, len(list))
	for i := range list {
		list[i].SizeRootFs = 0
		rows[i] = &row{c: &list[i], short: short}
	}
	return rows
}

// UsageTable and Headings are how they are printed.
const UsageTable = `{{.ID}}\t{{.Image}}\t{{.Command}}\t{{.LocalVolumes}}\t{{.Size}}\t{{.RunningFor}}\t{{.Status}}\t{{.Names}}`

// Headings are those of all fields of a container.
func Headings() format.Headings { return listHeadings }
