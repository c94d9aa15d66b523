package container

import (
	"fmt"

	"github.com/docker/go-units"
	types "github.com/moby/moby/api/types/container"

	"github.com/dhow-containers/dhow/higher/cli/format"
)

const statsTable = `{{.ID}}\t{{.Name}}\t{{.CPUPerc}}\t{{.MemUsage}}\t{{.MemPerc}}\t{{.NetIO}}\t{{.BlockIO}}\t{{.PIDs}}`

var statsHeadings = format.Headings{
	"Container": "CONTAINER", "Name": "NAME", "ID": "CONTAINER ID", "CPUPerc": "CPU %", "MemUsage": "MEM USAGE / LIMIT",
	"MemPerc": "MEM %", "NetIO": "NET I/O", "BlockIO": "BLOCK I/O", "PIDs": "PIDS",
}

// usage is what a container uses, as templates see it. Where nothing is known yet, dashes stand.
type usage struct {
	asked   string // the name on the command line
	s       *types.StatsResponse
	noTrunc bool
}

func (u *usage) MarshalJSON() ([]byte, error) { return format.Fields(u) }

func (u *usage) Container() string { return u.asked }

func (u *usage) ID() string {
	switch {
	case u.s == nil:
		return u.short(u.asked)
	case u.noTrunc:
		return u.s.ID
	}
	return format.ShortID(u.s.ID)
}

func (u *usage) short(s string) string {
	if u.noTrunc {
		return s
	}
	return format.ShortID(s)
}

func (u *usage) Name() string {
	if u.s == nil || len(u.s.Name) < 2 {
		return "--"
	}
	return u.s.Name[1:]
}

// CPUPerc is the share of one CPU: two busy ones are 200%.
func (u *usage) CPUPerc() string {
	if u.s == nil {
		return "--"
	}
	now, before := u.s.CPUStats, u.s.PreCPUStats
	used := float64(now.CPUUsage.TotalUsage) - float64(before.CPUUsage.TotalUsage)
	system := float64(now.SystemUsage) - float64(before.SystemUsage)
	cpus := float64(now.OnlineCPUs)
	if cpus == 0 {
		cpus = float64(len(now.CPUUsage.PercpuUsage))
	}
	if used <= 0 || system <= 0 {
		return "0.00%"
	}
	return fmt.Sprintf("%.2f%%", used/system*cpus*100)
}

// memory is what is in use without files that nobody has touched for a while.
func (u *usage) memory() float64 {
	m := u.s.MemoryStats
	for _, key := range []string{"total_inactive_file", "inactive_file"} { // cgroup v1, v2
		if v, there := m.Stats[key]; there && v < m.Usage {
			return float64(m.Usage - v)
		}
	}
	return float64(m.Usage)
}

func (u *usage) MemUsage() string {
	if u.s == nil {
		return "-- / --"
	}
	return units.BytesSize(u.memory()) + " / " + units.BytesSize(float64(u.s.MemoryStats.Limit))
}

func (u *usage) MemPerc() string {
	if u.s == nil {
		return "--"
	}
	if u.s.MemoryStats.Limit == 0 {
		return "0.00%"
	}
	return fmt.Sprintf("%.2f%%", u.memory()/float64(u.s.MemoryStats.Limit)*100)
}

func (u *usage) NetIO() string {
	if u.s == nil {
		return "--"
	}
	var rx, tx uint64
	for _, n := range u.s.Networks {
		rx += n.RxBytes
		tx += n.TxBytes
	}
	return pair(rx, tx)
}

func (u *usage) BlockIO() string {
	if u.s == nil {
		return "--"
	}
	var r, w uint64
	for _, e := range u.s.BlkioStats.IoServiceBytesRecursive {
		switch {
		case e.Op == "":
		case e.Op[0] == 'r' || e.Op[0] == 'R':
			r += e.Value
		case e.Op[0] == 'w' || e.Op[0] == 'W':
			w += e.Value
		}
	}
	return pair(r, w)
}

func (u *usage) PIDs() string {
	if u.s == nil {
		return "--"
	}
	return fmt.Sprint(u.s.PidsStats.Current)
}

func pair(a, b uint64) string { return format.Size(int64(a)) + " / " + format.Size(int64(b)) }
