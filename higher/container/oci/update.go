package oci

import (
	"github.com/containerd/errdefs"
	"github.com/dhow-containers/dhow/higher/api"
	types "github.com/moby/moby/api/types/container"
)

// CheckUpdate checks what `docker update` wants of a container, and returns the HostConfig that it comes to.
func CheckUpdate(h *types.HostConfig, u *types.UpdateConfig, d *Defaults) (updated *types.HostConfig, warnings []string, err error) {
	if u.RestartPolicy.Name != "" {
		if err := types.ValidateRestartPolicy(u.RestartPolicy); err != nil {
			return nil, nil, invalidf("%v", err)
		}
	}
	if err := checkUnsupported(&types.HostConfig{Resources: u.Resources}); err != nil {
		return nil, nil, err
	}
	if warnings, err = checkResources(&u.Resources, d.Host, true); err != nil {
		return nil, warnings, err
	}
	if err := conflicts(h, u); err != nil {
		return nil, warnings, err
	}
	new := *h
	apply(&new.Resources, &u.Resources)
	if u.RestartPolicy.Name != "" {
		new.RestartPolicy = u.RestartPolicy
	}
	return &new, warnings, nil
}

// conflicts checks an update against what the container has.
func conflicts(h *types.HostConfig, u *types.UpdateConfig) error {
	conflict := func(text string) error { return api.Errorf(errdefs.ErrConflict, "%s", text) }
	switch {
	case u.NanoCPUs > 0 && h.CPUPeriod > 0:
		return conflict("Conflicting options: Nano CPUs cannot be updated as CPU Period has already been set")
	case u.NanoCPUs > 0 && h.CPUQuota > 0:
		return conflict("Conflicting options: Nano CPUs cannot be updated as CPU Quota has already been set")
	case u.CPUPeriod > 0 && h.NanoCPUs > 0:
		return conflict("Conflicting options: CPU Period cannot be updated as NanoCPUs has already been set")
	case u.CPUQuota > 0 && h.NanoCPUs > 0:
		return conflict("Conflicting options: CPU Quota cannot be updated as NanoCPUs has already been set")
	case u.Memory != 0 && u.MemorySwap == 0 && h.MemorySwap != -1 && u.Memory > h.MemorySwap:
		return conflict("Memory limit should be smaller than already set memoryswap limit, update the memoryswap at the same time")
	case u.RestartPolicy.Name != "" && h.AutoRemove && !u.RestartPolicy.IsNone():
		return conflict("Restart policy cannot be updated because AutoRemove is enabled for the container")
	}
	return nil
}

// apply sets what an update says; a limit that it does not mention stays.
func apply(to, u *types.Resources) {
	set(&to.BlkioWeight, u.BlkioWeight)
	set(&to.CPUShares, u.CPUShares)
	set(&to.NanoCPUs, u.NanoCPUs)
	set(&to.CPUPeriod, u.CPUPeriod)
	set(&to.CPUQuota, u.CPUQuota)
	set(&to.CPURealtimePeriod, u.CPURealtimePeriod)
	set(&to.CPURealtimeRuntime, u.CPURealtimeRuntime)
	set(&to.CpusetCpus, u.CpusetCpus)
	set(&to.CpusetMems, u.CpusetMems)
	set(&to.Memory, u.Memory)
	set(&to.MemorySwap, u.MemorySwap)
	set(&to.MemoryReservation, u.MemoryReservation)
	set(&to.PidsLimit, u.PidsLimit)
	setList(&to.BlkioWeightDevice, u.BlkioWeightDevice)
	setList(&to.BlkioDeviceReadBps, u.BlkioDeviceReadBps)
	setList(&to.BlkioDeviceWriteBps, u.BlkioDeviceWriteBps)
	setList(&to.BlkioDeviceReadIOps, u.BlkioDeviceReadIOps)
	setList(&to.BlkioDeviceWriteIOps, u.BlkioDeviceWriteIOps)
}

func set[T comparable](to *T, value T) {
	var zero T
	if value != zero {
		*to = value
	}
}

func setList[T any](to *[]T, value []T) {
	if value != nil {
		*to = value
	}
}
