package engine

import (
	"github.com/moby/moby/api/types/system"

	"github.com/dhow-containers/dhow/higher/container/oci"
)

// fillLimits says what the host's control groups can limit, with Docker's warnings about what they cannot.
func fillLimits(info *system.Info, d *oci.Defaults) {
	f := d.Host
	info.CgroupDriver, info.CgroupVersion = "cgroupfs", "1"
	if d.SystemdCgroup {
		info.CgroupDriver = "systemd"
	}
	if f.Unified {
		info.CgroupVersion = "2"
	}
	info.MemoryLimit, info.SwapLimit, info.OomKillDisable = f.MemoryLimit, f.SwapLimit, f.OomKillDisable
	info.CPUCfsPeriod, info.CPUCfsQuota, info.CPUShares = f.CPUCfs, f.CPUCfs, f.CPUShares
	info.CPUSet, info.PidsLimit = f.Cpuset, f.PidsLimit
	warn := func(there bool, what string) {
		if !there {
			info.Warnings = append(info.Warnings, "WARNING: No "+what+" support")
		}
	}
	warn(f.MemoryLimit, "memory limit")
	warn(f.SwapLimit, "swap limit")
	warn(f.Unified || f.OomKillDisable, "oom kill disable")
	warn(f.CPUCfs, "cpu cfs quota")
	warn(f.CPUCfs, "cpu cfs period")
	warn(f.CPUShares, "cpu shares")
	warn(f.Cpuset, "cpuset")
	warn(!f.Unified || f.BlkioWeight, "io.weight")
	warn(!f.Unified || f.BlkioWeightDevice, "io.weight (per device)")
	for _, throttle := range []struct {
		there    bool
		old, new string
	}{
		{f.BlkioReadBps, "blkio throttle.read_bps_device", "io.max (rbps)"},
		{f.BlkioWriteBps, "blkio throttle.write_bps_device", "io.max (wbps)"},
		{f.BlkioReadIOps, "blkio throttle.read_iops_device", "io.max (riops)"},
		{f.BlkioWriteIOps, "blkio throttle.write_iops_device", "io.max (wiops)"},
	} {
		what := throttle.old
		if f.Unified {
			what = throttle.new
		}
		warn(throttle.there, what)
	}
	if !info.IPv4Forwarding {
		info.Warnings = append(info.Warnings, "WARNING: IPv4 forwarding is disabled")
	}
}
