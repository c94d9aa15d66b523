package cgroup

import (
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

const fieldBlockIO = "linux.resources.blockIO."

// throttle is one of the four kinds of rate limit.
type throttle struct {
	name    string // config field
	v1, v2  string // file of version 1, key of io.max
	devices []specs.LinuxThrottleDevice
}

// blockIO plans linux.resources.blockIO.
func (b *builder) blockIO(io *specs.LinuxBlockIO) {
	if io == nil {
		return
	}
	b.weight(io.Weight, fieldBlockIO+"weight", "", "weight")
	b.weight(io.LeafWeight, fieldBlockIO+"leafWeight", "", "leaf_weight")
	for i, d := range io.WeightDevice {
		field, dev := fieldBlockIO+"weightDevice"+index(i), device(d.LinuxBlockIODevice)+" "
		b.weight(d.Weight, field+".weight", dev, "weight_device")
		b.weight(d.LeafWeight, field+".leafWeight", dev, "leaf_weight_device")
	}
	for _, t := range []throttle{
		{"throttleReadBpsDevice", "read_bps_device", "rbps", io.ThrottleReadBpsDevice},
		{"throttleWriteBpsDevice", "write_bps_device", "wbps", io.ThrottleWriteBpsDevice},
		{"throttleReadIOPSDevice", "read_iops_device", "riops", io.ThrottleReadIOPSDevice},
		{"throttleWriteIOPSDevice", "write_iops_device", "wiops", io.ThrottleWriteIOPSDevice},
	} {
		b.throttle(t)
	}
}

// weight plans a weight of 10 to 1000, for all devices (prefix "") or one. The
// file depends on the scheduler: CFQ until Linux 5.0, BFQ, and in version 2
// io.weight (iocost) with its own range. 0 means unset.
func (b *builder) weight(w *uint16, field, prefix, file string) {
	if w == nil || *w == 0 {
		return
	}
	if *w < 10 || *w > 1000 {
		b.fail(field, "%d is not between 10 and 1000", *w)
		return
	}
	value := prefix + unsigned(uint64(*w))
	leaf := file[0] == 'l'
	switch {
	case b.onV1("blkio"):
		set := b.set1("blkio", "blkio."+file, value, field)
		if !leaf {
			set.Or = &Write{Controller: "blkio", Path: b.v1["blkio"] + "/blkio.bfq." + file, Value: value, Field: field}
		}
	case leaf:
		b.v1Only(field)
	default:
		set := b.set2("io", "io.bfq.weight", value, field)
		set.Or = &Write{Controller: "io", Path: b.v2 + "/io.weight", Value: prefix + unsigned(ioWeight(*w)), Field: field}
	}
}

// ioWeight maps 10..1000 linearly to the 1..10000 of io.weight, as runc and crun do.
func ioWeight(w uint16) uint64 { return 1 + (uint64(w)-10)*9999/990 }

// throttle plans a rate limit; a rate of 0 lifts it.
func (b *builder) throttle(t throttle) {
	for i, d := range t.devices {
		field, dev := fieldBlockIO+t.name+index(i), device(d.LinuxBlockIODevice)
		if b.onV1("blkio") {
			b.set1("blkio", "blkio.throttle."+t.v1, dev+" "+unsigned(d.Rate), field)
			continue
		}
		rate := "max"
		if d.Rate != 0 {
			rate = unsigned(d.Rate)
		}
		b.set2("io", "io.max", dev+" "+t.v2+"="+rate, field)
	}
}

func device(d specs.LinuxBlockIODevice) string { return decimal(d.Major) + ":" + decimal(d.Minor) }
