package oci

import (
	types "github.com/moby/moby/api/types/container"
)

// minMemory is Docker's smallest limit, in bytes: there must be room for a start.
const minMemory = 6 << 20

// checkResources checks limits in Docker's words. What the kernel has no means for is taken away, with a warning.
func checkResources(r *types.Resources, host *Facts, update bool) (warnings []string, err error) {
	for _, check := range []func() ([]string, error){
		func() ([]string, error) { return checkMemory(r, host, update) },
		func() ([]string, error) { return checkOthers(r, host), nil },
		func() ([]string, error) { return checkCPU(r, host) },
		func() ([]string, error) { return checkCpuset(r, host) },
		func() ([]string, error) { return checkIO(r, host) },
	} {
		more, err := check()
		warnings = append(warnings, more...)
		if err != nil {
			return warnings, err
		}
	}
	return warnings, nil
}

// discard takes a limit away that is set and that the kernel cannot enforce.
func discard(warnings *[]string, set, supported bool, warning string, take func()) {
	if set && !supported {
		*warnings = append(*warnings, warning)
		take()
	}
}

func checkMemory(r *types.Resources, host *Facts, update bool) (warnings []string, err error) {
	if r.MemorySwappiness != nil && *r.MemorySwappiness == -1 {
		r.MemorySwappiness = nil // as older clients say that nothing was said
	}
	if r.Memory != 0 && r.Memory < minMemory {
		return nil, invalidf("Minimum memory limit allowed is 6MB")
	}
	discard(&warnings, r.Memory > 0, host.MemoryLimit,
		"Your kernel does not support memory limit capabilities or the cgroup is not mounted. Limitation discarded.",
		func() { r.Memory, r.MemorySwap = 0, -1 })
	discard(&warnings, r.Memory > 0 && r.MemorySwap != -1, host.SwapLimit,
		"Your kernel does not support swap limit capabilities or the cgroup is not mounted. Memory limited without swap.",
		func() { r.MemorySwap = -1 })
	if r.Memory > 0 && r.MemorySwap > 0 && r.MemorySwap < r.Memory {
		return warnings, invalidf("Minimum memoryswap limit should be larger than memory limit, see usage")
	}
	if r.Memory == 0 && r.MemorySwap > 0 && !update {
		return warnings, invalidf("You should always set the Memory limit when using Memoryswap limit, see usage")
	}
	if r.MemorySwap < -1 {
		return warnings, invalidf("Invalid value: %d, the memory swap limit is a number of bytes, or -1 for none", r.MemorySwap)
	}
	discard(&warnings, r.MemorySwappiness != nil, host.MemorySwappiness,
		"Your kernel does not support memory swappiness capabilities or the cgroup is not mounted. Memory swappiness discarded.",
		func() { r.MemorySwappiness = nil })
	if s := r.MemorySwappiness; s != nil && (*s < 0 || *s > 100) {
		return warnings, invalidf("Invalid value: %v, valid memory swappiness range is 0-100", *s)
	}
	discard(&warnings, r.MemoryReservation > 0, host.MemoryReservation,
		"Your kernel does not support memory soft limit capabilities or the cgroup is not mounted. Limitation discarded.",
		func() { r.MemoryReservation = 0 })
	if r.MemoryReservation != 0 && r.MemoryReservation < minMemory {
		return warnings, invalidf("Minimum memory reservation allowed is 6MB")
	}
	if r.Memory > 0 && r.MemoryReservation > 0 && r.Memory < r.MemoryReservation {
		return warnings, invalidf("Minimum memory limit can not be less than memory reservation limit, see usage")
	}
	return warnings, nil
}

func checkOthers(r *types.Resources, host *Facts) (warnings []string) {
	if r.OomKillDisable != nil && !host.OomKillDisable {
		if *r.OomKillDisable {
			warnings = append(warnings, "Your kernel does not support OomKillDisable. OomKillDisable discarded.")
		}
		r.OomKillDisable = nil
	}
	if r.OomKillDisable != nil && *r.OomKillDisable && r.Memory == 0 {
		warnings = append(warnings, "OOM killer is disabled for the container, but no memory limit is set, this can result in the system running out of resources.")
	}
	if r.PidsLimit != nil && !host.PidsLimit {
		if *r.PidsLimit > 0 {
			warnings = append(warnings, "Your kernel does not support PIDs limit capabilities or the cgroup is not mounted. PIDs limit discarded.")
		}
		r.PidsLimit = nil
	}
	return warnings
}

func checkCPU(r *types.Resources, host *Facts) (warnings []string, err error) {
	switch {
	case r.NanoCPUs > 0 && r.CPUPeriod > 0:
		return nil, invalidf("Conflicting options: Nano CPUs and CPU Period cannot both be set")
	case r.NanoCPUs > 0 && r.CPUQuota > 0:
		return nil, invalidf("Conflicting options: Nano CPUs and CPU Quota cannot both be set")
	case r.NanoCPUs > 0 && !host.CPUCfs:
		return nil, invalidf("NanoCPUs can not be set, as your kernel does not support CPU CFS scheduler or the cgroup is not mounted")
	case r.NanoCPUs < 0 || r.NanoCPUs > int64(host.NumCPU)*1e9:
		return nil, invalidf("range of CPUs is from 0.01 to %[1]d.00, as there are only %[1]d CPUs available", host.NumCPU)
	case r.CPUShares < 0:
		return nil, invalidf("invalid CPU shares (%d): value must be a positive integer", r.CPUShares)
	}
	discard(&warnings, r.CPUShares > 0, host.CPUShares,
		"Your kernel does not support CPU shares or the cgroup is not mounted. Shares discarded.",
		func() { r.CPUShares = 0 })
	discard(&warnings, r.CPUPeriod != 0 || r.CPUQuota != 0, host.CPUCfs,
		"Your kernel does not support CPU CFS scheduler. CPU period/quota discarded.",
		func() { r.CPUPeriod, r.CPUQuota = 0, 0 })
	switch {
	case r.CPUPeriod != 0 && (r.CPUPeriod < 1000 || r.CPUPeriod > 1000000):
		return warnings, invalidf("CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)")
	case r.CPUQuota > 0 && r.CPUQuota < 1000:
		return warnings, invalidf("CPU cfs quota can not be less than 1ms (i.e. 1000)")
	case (r.CPURealtimePeriod != 0 || r.CPURealtimeRuntime != 0) && !host.CPURealtime:
		return warnings, invalidf("Your kernel does not support CPU real-time scheduler")
	case r.CPURealtimePeriod < 0 || r.CPURealtimePeriod != 0 && r.CPURealtimeRuntime > r.CPURealtimePeriod:
		return warnings, invalidf("cpu real-time runtime cannot be higher than cpu real-time period")
	}
	if r.CPUPercent > 0 {
		warnings = append(warnings, "linux does not support CPU percent. Percent discarded.")
		r.CPUPercent = 0
	}
	return warnings, nil
}

func checkCpuset(r *types.Resources, host *Facts) (warnings []string, err error) {
	discard(&warnings, r.CpusetCpus != "" || r.CpusetMems != "", host.Cpuset,
		"Your kernel does not support cpuset or the cgroup is not mounted. Cpuset discarded.",
		func() { r.CpusetCpus, r.CpusetMems = "", "" })
	for _, s := range [...]struct{ what, kind, asked, have string }{
		{"CPUs", "cpus", r.CpusetCpus, host.CPUs},
		{"memory nodes", "mems", r.CpusetMems, host.Mems},
	} {
		ok, err := within(s.asked, s.have)
		if err != nil {
			return warnings, invalidf("Invalid value %s for cpuset %s: %v", s.asked, s.kind, err)
		}
		if !ok {
			return warnings, invalidf("Requested %s are not available - requested %s, available: %s", s.what, s.asked, s.have)
		}
	}
	return warnings, nil
}

func checkIO(r *types.Resources, host *Facts) (warnings []string, err error) {
	discard(&warnings, r.BlkioWeight > 0, host.BlkioWeight,
		"Your kernel does not support Block I/O weight or the cgroup is not mounted. Weight discarded.",
		func() { r.BlkioWeight = 0 })
	if r.BlkioWeight > 0 && (r.BlkioWeight < 10 || r.BlkioWeight > 1000) {
		return warnings, invalidf("Range of blkio weight is from 10 to 1000")
	}
	discard(&warnings, len(r.BlkioWeightDevice) > 0, host.BlkioWeightDevice,
		"Your kernel does not support Block I/O weight_device or the cgroup is not mounted. Weight-device discarded.",
		func() { r.BlkioWeightDevice = nil })
	discard(&warnings, len(r.BlkioDeviceReadBps) > 0, host.BlkioReadBps,
		"Your kernel does not support BPS Block I/O read limit or the cgroup is not mounted. Block I/O BPS read limit discarded.",
		func() { r.BlkioDeviceReadBps = nil })
	discard(&warnings, len(r.BlkioDeviceWriteBps) > 0, host.BlkioWriteBps,
		"Your kernel does not support BPS Block I/O write limit or the cgroup is not mounted. Block I/O BPS write limit discarded.",
		func() { r.BlkioDeviceWriteBps = nil })
	discard(&warnings, len(r.BlkioDeviceReadIOps) > 0, host.BlkioReadIOps,
		"Your kernel does not support IOPS Block read limit or the cgroup is not mounted. Block I/O IOPS read limit discarded.",
		func() { r.BlkioDeviceReadIOps = nil })
	discard(&warnings, len(r.BlkioDeviceWriteIOps) > 0, host.BlkioWriteIOps,
		"Your kernel does not support IOPS Block write limit or the cgroup is not mounted. Block I/O IOPS write limit discarded.",
		func() { r.BlkioDeviceWriteIOps = nil })
	return warnings, nil
}
