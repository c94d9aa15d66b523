package resctrl

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Stats are what `events` shows of a group, with runc's names.
type Stats struct {
	L3CacheInfo       *L3CacheInfo `json:"l3_cache_info,omitempty"`
	L3CacheSchemaRoot string       `json:"l3_cache_schema_root,omitempty"`
	L3CacheSchema     string       `json:"l3_cache_schema,omitempty"`
	MemBwInfo         *MemBwInfo   `json:"mem_bw_info,omitempty"`
	MemBwSchemaRoot   string       `json:"mem_bw_schema_root,omitempty"`
	MemBwSchema       string       `json:"mem_bw_schema,omitempty"`
	Schemata          []string     `json:"schemata,omitempty"`
	MBMStats          []Bandwidth  `json:"mbm_stats,omitempty"`
	CMTStats          []Occupancy  `json:"cmt_stats,omitempty"`
}

// L3CacheInfo is what the directory info/L3 says.
type L3CacheInfo struct {
	CbmMask    string `json:"cbm_mask,omitempty"`
	MinCbmBits uint64 `json:"min_cbm_bits,omitempty"`
	NumClosids uint64 `json:"num_closids,omitempty"`
}

// MemBwInfo is what the directory info/MB says.
type MemBwInfo struct {
	BandwidthGran uint64 `json:"bandwidth_gran,omitempty"`
	DelayLinear   uint64 `json:"delay_linear,omitempty"`
	MinBandwidth  uint64 `json:"min_bandwidth,omitempty"`
	NumClosids    uint64 `json:"num_closids,omitempty"`
}

// Bandwidth is the memory traffic of one L3 cache, in bytes.
type Bandwidth struct {
	Total uint64 `json:"mbm_total_bytes"`
	Local uint64 `json:"mbm_local_bytes"`
}

// Occupancy is how much of one L3 cache is in use, in bytes.
type Occupancy struct {
	Bytes uint64 `json:"llc_occupancy"`
}

// reader reads files and keeps the first error; what does not exist reads as nothing.
type reader struct{ err error }

func (r *reader) text(path ...string) string {
	data, err := os.ReadFile(filepath.Join(path...))
	if err != nil && !errors.Is(err, fs.ErrNotExist) && r.err == nil {
		r.err = err
	}
	return strings.TrimSpace(string(data))
}

// number reads one number; "Unavailable" and the like, which the kernel writes for a counter that does not
// count just now, are 0.
func (r *reader) number(path ...string) uint64 {
	v, _ := strconv.ParseUint(r.text(path...), 10, 64)
	return v
}

// Stats reads the state of the group.
func (g *Group) Stats() (*Stats, error) {
	r, s := &reader{}, &Stats{}
	all, own := strings.Split(r.text(g.Root, "schemata"), "\n"), strings.Split(r.text(g.Path, "schemata"), "\n")
	s.Schemata = own
	if dir := filepath.Join(g.Root, "info", "L3"); exists(dir) {
		s.L3CacheInfo = &L3CacheInfo{r.text(dir, "cbm_mask"), r.number(dir, "min_cbm_bits"), r.number(dir, "num_closids")}
		s.L3CacheSchemaRoot, s.L3CacheSchema = find(all, "L3"), find(own, "L3")
	}
	if dir := filepath.Join(g.Root, "info", "MB"); exists(dir) {
		s.MemBwInfo = &MemBwInfo{r.number(dir, "bandwidth_gran"), r.number(dir, "delay_linear"), r.number(dir, "min_bandwidth"), r.number(dir, "num_closids")}
		s.MemBwSchemaRoot, s.MemBwSchema = find(all, "MB"), find(own, "MB")
	}
	if r.err == nil {
		r.err = g.monitor(r, s)
	}
	if r.err != nil {
		return nil, fmt.Errorf("cannot read the statistics of a class of service (linux.intelRdt): %w", r.err)
	}
	return s, nil
}

// monitor reads the counters of each cache that the processor has.
func (g *Group) monitor(r *reader, s *Stats) error {
	features := strings.Fields(r.text(g.Root, "info", "L3_MON", "mon_features"))
	dir := g.Path
	if g.Monitor != "" {
		dir = g.Monitor
	}
	if len(features) == 0 {
		return nil
	}
	caches, err := os.ReadDir(filepath.Join(dir, "mon_data"))
	if err != nil {
		return err
	}
	for _, c := range caches {
		at := filepath.Join(dir, "mon_data", c.Name())
		if slices.Contains(features, "mbm_total_bytes") || slices.Contains(features, "mbm_local_bytes") {
			s.MBMStats = append(s.MBMStats, Bandwidth{r.number(at, "mbm_total_bytes"), r.number(at, "mbm_local_bytes")})
		}
		if slices.Contains(features, "llc_occupancy") {
			s.CMTStats = append(s.CMTStats, Occupancy{r.number(at, "llc_occupancy")})
		}
	}
	return r.err
}

// find returns the line of a resource.
func find(lines []string, resource string) string {
	for _, line := range lines {
		if line = strings.TrimSpace(line); strings.HasPrefix(line, resource) {
			return line
		}
	}
	return ""
}
