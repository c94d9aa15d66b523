package engine

import (
	"slices"
	"testing"

	"github.com/moby/moby/api/types/system"

	"github.com/dhow-containers/dhow/higher/container/oci"
)

func TestFillLimits(t *testing.T) {
	all := oci.Facts{
		MemoryLimit: true, SwapLimit: true, CPUShares: true, CPUCfs: true, Cpuset: true, PidsLimit: true,
		BlkioReadBps: true, BlkioWriteBps: true, BlkioReadIOps: true, BlkioWriteIOps: true,
	}
	v2 := all
	v2.Unified, v2.BlkioWeight, v2.BlkioWeightDevice = true, true, true
	v1 := all
	v1.OomKillDisable = true
	for name, c := range map[string]struct {
		facts           oci.Facts
		systemd         bool
		driver, version string
		warnings        []string
	}{
		"unified": {v2, false, "cgroupfs", "2", nil},
		"systemd": {v2, true, "systemd", "2", nil},
		"hybrid":  {v1, false, "cgroupfs", "1", nil},
		"few controllers": {oci.Facts{Unified: true}, false, "cgroupfs", "2", []string{
			"WARNING: No memory limit support", "WARNING: No swap limit support", "WARNING: No cpu cfs quota support",
			"WARNING: No cpu cfs period support", "WARNING: No cpu shares support", "WARNING: No cpuset support",
			"WARNING: No io.weight support", "WARNING: No io.weight (per device) support", "WARNING: No io.max (rbps) support",
			"WARNING: No io.max (wbps) support", "WARNING: No io.max (riops) support", "WARNING: No io.max (wiops) support",
		}},
		"few on v1": {oci.Facts{MemoryLimit: true, CPUShares: true, CPUCfs: true, Cpuset: true, BlkioReadBps: true}, false, "cgroupfs", "1", []string{
			"WARNING: No swap limit support", "WARNING: No oom kill disable support",
			"WARNING: No blkio throttle.write_bps_device support", "WARNING: No blkio throttle.read_iops_device support",
			"WARNING: No blkio throttle.write_iops_device support",
		}},
	} {
		info := &system.Info{IPv4Forwarding: true}
		fillLimits(info, &oci.Defaults{Host: &c.facts, SystemdCgroup: c.systemd})
		if info.CgroupDriver != c.driver || info.CgroupVersion != c.version || !slices.Equal(info.Warnings, c.warnings) {
			t.Errorf("%s: %s, %s, %q", name, info.CgroupDriver, info.CgroupVersion, info.Warnings)
		}
	}
	info := &system.Info{}
	fillLimits(info, &oci.Defaults{Host: &v2})
	if !slices.Equal(info.Warnings, []string{"WARNING: IPv4 forwarding is disabled"}) {
		t.Errorf("%q", info.Warnings)
	}
	if !info.MemoryLimit || !info.CPUSet || !info.PidsLimit || !info.CPUCfsQuota || info.OomKillDisable {
		t.Errorf("%+v", info)
	}
}
