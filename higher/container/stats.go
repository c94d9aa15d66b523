package container

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/dhow-containers/dhow/higher/task"
	"github.com/dhow-containers/dhow/runtime/cgroup"
	types "github.com/moby/moby/api/types/container"
	"golang.org/x/sys/unix"
)

// between samples.
const sampleInterval = time.Second

// ContainerStats calls emit about every second until ctx ends or the container is removed; once if !stream.
func (m *Manager) ContainerStats(ctx context.Context, name string, stream, oneShot bool, emit func(*types.StatsResponse) error) error {
	c, err := m.get(name)
	if err != nil {
		return err
	}
	if !stream && c.record().Running() && !oneShot {
		return c.compareStats(ctx, emit)
	}
	t := time.NewTicker(sampleInterval)
	defer t.Stop()
	var last *types.StatsResponse
	for {
		now, err := c.sample(ctx, last)
		if err != nil {
			return err
		}
		if err := emit(now); err != nil || !stream {
			return err
		}
		last = now
		select {
		case <-t.C:
		case <-ctx.Done():
			return nil
		case <-c.removed:
			return nil
		}
	}
}

// compareStats makes one answer of two samples, so that the share of CPU time can be told.
func (c *container) compareStats(ctx context.Context, emit func(*types.StatsResponse) error) error {
	first, err := c.sample(ctx, nil)
	if err != nil {
		return err
	}
	t := time.NewTimer(sampleInterval)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
		return nil
	case <-c.removed:
	}
	second, err := c.sample(ctx, first)
	if err != nil {
		return err
	}
	return emit(second)
}

// sample reads a container's statistics; there are none of one that does not run.
func (c *container) sample(ctx context.Context, last *types.StatsResponse) (*types.StatsResponse, error) {
	r := c.record()
	s := &types.StatsResponse{ID: r.ID, Name: "/" + r.Name, OSType: "linux"}
	run, err := c.running()
	if err != nil {
		return s, nil
	}
	metrics, err := run.task.Stats(ctx)
	if err != nil {
		if now, gone := c.running(); gone != nil || now != run {
			return s, nil // it has ended meanwhile
		}
		return nil, err
	}
	s.Read = metrics.Read
	if err := fillStats(s, metrics); err != nil {
		return nil, err
	}
	if s.CPUStats.SystemUsage, s.CPUStats.OnlineCPUs, err = hostCPU(); err != nil {
		return nil, err
	}
	if s.Networks, err = c.m.networkStats(r); err != nil {
		return nil, err
	}
	if last != nil {
		s.PreRead, s.PreCPUStats = last.Read, last.CPUStats
	}
	return s, nil
}

func fillStats(s *types.StatsResponse, m *task.Metrics) error {
	var info unix.Sysinfo_t
	if err := unix.Sysinfo(&info); err != nil {
		return fmt.Errorf("cannot read the size of memory: %w", err)
	}
	s.CPUStats = types.CPUStats{
		CPUUsage: types.CPUUsage{
			TotalUsage: m.CPU.Usage, PercpuUsage: m.CPU.PerCPU, UsageInKernelmode: m.CPU.System, UsageInUsermode: m.CPU.User,
		},
		ThrottlingData: types.ThrottlingData{
			Periods: m.CPU.Periods, ThrottledPeriods: m.CPU.ThrottledPeriods, ThrottledTime: m.CPU.ThrottledTime,
		},
	}
	s.MemoryStats = types.MemoryStats{
		Usage: m.Memory.Usage.Current, MaxUsage: m.Memory.Usage.Max, Failcnt: m.Memory.Usage.Failed,
		Limit: min(m.Memory.Usage.Limit, info.Totalram*uint64(info.Unit)), Stats: map[string]uint64{},
	}
	for _, c := range m.Memory.Stat {
		s.MemoryStats.Stats[c.Name] = c.Value
	}
	if m.Unified {
		s.MemoryStats.MaxUsage, s.MemoryStats.Failcnt = 0, m.Memory.Events.OOM
	}
	s.PidsStats = types.PidsStats{Current: m.Pids.Current, Limit: m.Pids.Limit}
	s.BlkioStats = blkio(&m.IO, m.Unified)
	return nil
}

func blkio(s *cgroup.IOStats, unified bool) types.BlkioStats {
	if unified {
		return types.BlkioStats{IoServiceBytesRecursive: ioCounts(s.Bytes, strings.ToLower)}
	}
	same := func(op string) string { return op }
	return types.BlkioStats{
		IoServiceBytesRecursive: ioCounts(s.Bytes, same), IoServicedRecursive: ioCounts(s.Operations, same),
		IoQueuedRecursive: ioCounts(s.Queued, same), IoServiceTimeRecursive: ioCounts(s.ServiceTime, same),
		IoWaitTimeRecursive: ioCounts(s.WaitTime, same), IoMergedRecursive: ioCounts(s.Merged, same),
		IoTimeRecursive: ioCounts(s.Time, same), SectorsRecursive: ioCounts(s.Sectors, same),
	}
}

func ioCounts(all []cgroup.IOCount, op func(string) string) []types.BlkioStatEntry {
	out := []types.BlkioStatEntry{}
	for _, c := range all {
		out = append(out, types.BlkioStatEntry{Major: c.Major, Minor: c.Minor, Op: op(c.Op), Value: c.Value})
	}
	return out
}

// hostCPU is the CPU time of the whole host in nanoseconds, waiting included, and how many CPUs there are (proc(5)).
func hostCPU() (used uint64, cpus uint32, err error) {
	f, err := os.Open("/proc/stat")
	if err != nil {
		return 0, 0, err
	}
	defer func() { _ = f.Close() }()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		name, rest, _ := strings.Cut(lines.Text(), " ")
		switch {
		case name == "cpu":
			if used, err = sumTicks(rest); err != nil {
				return 0, 0, err
			}
		case strings.HasPrefix(name, "cpu"):
			cpus++
		default:
			return used, cpus, nil
		}
	}
	return used, cpus, lines.Err()
}

// sumTicks adds user to softirq; what follows is part of those.
func sumTicks(s string) (uint64, error) {
	var sum uint64
	fields := strings.Fields(s)
	for _, f := range fields[:min(7, len(fields))] {
		n, err := strconv.ParseUint(f, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("cannot read /proc/stat: %w", err)
		}
		sum += n
	}
	return sum * uint64(time.Second/100), nil
}

// networkStats are the counters of a container's devices but lo; none on the host's network.
func (m *Manager) networkStats(r *Record) (map[string]types.NetworkStats, error) {
	if r.HostConfig.NetworkMode.IsHost() {
		return nil, nil
	}
	if r.HostConfig.NetworkMode.IsContainer() {
		other, err := m.get(r.HostConfig.NetworkMode.ConnectedContainer())
		if err != nil {
			return nil, nil // it is gone
		}
		return m.networkStats(other.record())
	}
	text, err := os.ReadFile("/proc/" + strconv.Itoa(r.Pid) + "/net/dev")
	if err != nil {
		return nil, nil // it has ended meanwhile
	}
	return parseDevices(string(text)), nil
}

// parseDevices reads /proc/PID/net/dev (proc(5)).
func parseDevices(text string) map[string]types.NetworkStats {
	all := map[string]types.NetworkStats{}
	for line := range strings.Lines(text) {
		name, rest, ok := strings.Cut(line, ":")
		f := strings.Fields(rest)
		if name = strings.TrimSpace(name); !ok || name == "lo" || len(f) < 12 {
			continue
		}
		n := make([]uint64, len(f))
		for i := range f {
			n[i], _ = strconv.ParseUint(f[i], 10, 64)
		}
		all[name] = types.NetworkStats{
			RxBytes: n[0], RxPackets: n[1], RxErrors: n[2], RxDropped: n[3],
			TxBytes: n[8], TxPackets: n[9], TxErrors: n[10], TxDropped: n[11],
		}
	}
	if len(all) == 0 {
		return nil
	}
	return all
}
