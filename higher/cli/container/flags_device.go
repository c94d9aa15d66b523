package container

import (
	"github.com/moby/moby/api/types/blkiodev"
	types "github.com/moby/moby/api/types/container"
	"github.com/spf13/pflag"

	"github.com/dhow-containers/dhow/higher/cli/opts"
)

// blkioFlags are limits on single block devices.
type blkioFlags struct {
	weights []*blkiodev.WeightDevice

	readBps, writeBps, readIOps, writeIOps []*blkiodev.ThrottleDevice
}

func (f *blkioFlags) register(fs *pflag.FlagSet) {
	collect(fs, &f.weights, "blkio-weight-device", "Weight of I/O on a device (DEVICE:WEIGHT)", opts.Weight)
	collect(fs, &f.readBps, "device-read-bps", "Limit of bytes read from a device each second", opts.Bps)
	collect(fs, &f.writeBps, "device-write-bps", "Limit of bytes written to a device each second", opts.Bps)
	collect(fs, &f.readIOps, "device-read-iops", "Limit of reads from a device each second", opts.IOps)
	collect(fs, &f.writeIOps, "device-write-iops", "Limit of writes to a device each second", opts.IOps)
}

func collect[T any](fs *pflag.FlagSet, to *[]T, name, usage string, parse func(string) (T, error)) {
	opts.Var(fs, "list", name, "", usage, func(s string) error {
		v, err := parse(s)
		if err == nil {
			*to = append(*to, v)
		}
		return err
	})
}

func (f *blkioFlags) apply(r *request, _ *pflag.FlagSet) error {
	h := r.host
	h.BlkioWeightDevice, h.BlkioDeviceReadBps, h.BlkioDeviceWriteBps = orEmpty(f.weights), orEmpty(f.readBps), orEmpty(f.writeBps)
	h.BlkioDeviceReadIOps, h.BlkioDeviceWriteIOps = orEmpty(f.readIOps), orEmpty(f.writeIOps)
	return nil
}

// deviceFlags give the container devices.
type deviceFlags struct {
	devices, rules []string
	gpus           []types.DeviceRequest
}

func (f *deviceFlags) register(fs *pflag.FlagSet) {
	opts.List(fs, &f.devices, "device", "", "Add a device of the host (HOST[:CONTAINER[:MODE]]), or one of the CDI", nil)
	opts.List(fs, &f.rules, "device-cgroup-rule", "", "Allow devices by a rule of the control group", opts.CgroupRule)
	opts.Var(fs, "gpu-request", "gpus", "", "Add GPUs ('all' for all of them)", func(s string) error {
		r, err := opts.GPUs(s)
		if err == nil {
			f.gpus = append(f.gpus, r)
		}
		return err
	})
}

func (f *deviceFlags) apply(r *request, _ *pflag.FlagSet) error {
	var cdi []string
	r.host.Devices = []types.DeviceMapping{}
	for _, s := range f.devices {
		if opts.CDI(s) {
			cdi = append(cdi, s)
			continue
		}
		d, err := opts.Device(s)
		if err != nil {
			return err
		}
		r.host.Devices = append(r.host.Devices, d)
	}
	r.host.DeviceRequests = f.gpus
	if cdi != nil {
		r.host.DeviceRequests = append(r.host.DeviceRequests, types.DeviceRequest{Driver: "cdi", DeviceIDs: cdi})
	}
	r.host.DeviceCgroupRules = f.rules
	return nil
}
