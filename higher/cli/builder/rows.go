package builder

import (
	"fmt"
	"time"

	"github.com/docker/go-units"
	"github.com/moby/moby/api/types/build"

	"github.com/dhow-containers/dhow/higher/cli/format"
)

// Table and Headings are how the cache is printed by `dhow system df -v`.
const Table = `{{.ID}}\t{{.CacheType}}\t{{.Size}}\t{{.CreatedSince}}\t{{.LastUsedSince}}\t{{.UsageCount}}\t{{.Shared}}`

// Headings are those of all fields.
var Headings = format.Headings{
	"ID": "CACHE ID", "Parent": "PARENT", "CacheType": "CACHE TYPE", "Size": "SIZE", "CreatedSince": "CREATED", "LastUsedSince": "LAST USED",
	"UsageCount": "USAGE", "InUse": "IN USE", "Shared": "SHARED", "Description": "DESCRIPTION",
}

// Row is a record of the cache as templates see it.
type Row struct {
	r     build.CacheRecord
	short bool
}

// Rows makes rows of records.
func Rows(list []build.CacheRecord, short bool) []*Row {
	rows := make([]*Row, len(list))
	for i, r := range list {
		rows[i] = &Row{r, short}
	}
	return rows
}

func (r *Row) MarshalJSON() ([]byte, error) { return format.Fields(r) }

func (r *Row) ID() string {
	id := r.r.ID
	if r.short {
		id = format.ShortID(id)
	}
	if r.r.InUse {
		id += "*"
	}
	return id
}

func (r *Row) CacheType() string    { return r.r.Type }
func (r *Row) Description() string  { return r.r.Description }
func (r *Row) Size() string         { return units.HumanSizeWithPrecision(float64(r.r.Size), 3) }
func (r *Row) CreatedSince() string { return format.Ago(r.r.CreatedAt) }
func (r *Row) UsageCount() string   { return fmt.Sprint(r.r.UsageCount) }
func (r *Row) InUse() string        { return fmt.Sprint(r.r.InUse) }
func (r *Row) Shared() string       { return fmt.Sprint(r.r.Shared) }

func (r *Row) LastUsedSince() string {
	if r.r.LastUsedAt == nil {
		return ""
	}
	return units.HumanDuration(time.Now().UTC().Sub(*r.r.LastUsedAt)) + " ago"
}
