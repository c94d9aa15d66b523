package cgroup

import (
	"math"
	"strconv"
	"strings"

	specs "github.com/opencontainers/runtime-spec/specs-go"

	"github.com/dhow-containers/dhow/runtime/internal/dbus"
)

// What systemd is told of the limits, it keeps when it writes its units' files again, as after
// `systemctl daemon-reload`. All limits are written to the files as well, after systemd did: that is what
// says whether the kernel takes them, and some have no property.

// infinity is systemd's "no limit".
const infinity = math.MaxUint64

// defaultPeriod is the kernel's period of CPU quotas, in microseconds.
const defaultPeriod = 100000

// cpuIdleSince is the version of systemd in which a CPUWeight of 0 makes a unit idle.
const cpuIdleSince = 252

// prop plans a property.
func (b *builder) prop(name string, v dbus.Value, field string) {
	u := b.plan.Unit
	u.Properties = append(u.Properties, Property{Name: name, Value: v, Field: field})
}

// ownUnit plans what every unit has. A scope is told its slice; the place of a slice is in its name, and
// what it is in is only to be there. Accounting makes systemd hand out the controllers.
func (b *builder) ownUnit(o UnitOptions) {
	b.prop("Description", dbus.String("container "+o.ID), "")
	u := b.plan.Unit
	slice := u.Slice
	if slice == "-" {
		slice = "-.slice"
	}
	if u.isSlice() {
		b.prop("Wants", dbus.Strings(slice), "linux.cgroupsPath")
	} else {
		b.prop("Slice", dbus.String(slice), "linux.cgroupsPath")
		b.prop("Delegate", dbus.Bool(true), "")
	}
	io := "IOAccounting"
	if b.host.Mode != Unified {
		io = "BlockIOAccounting"
	}
	for _, name := range []string{"MemoryAccounting", "CPUAccounting", io, "TasksAccounting"} {
		b.prop(name, dbus.Bool(true), "")
	}
	b.prop("DefaultDependencies", dbus.Bool(false), "")
}

// unitLimits plans the properties of the resources other than devices.
func (b *builder) unitLimits(r *specs.LinuxResources) {
	if r == nil {
		return
	}
	b.unitMemory(r.Memory)
	b.unitCPU(r.CPU)
	b.unitCpuset(r.CPU)
	if p := r.Pids; p != nil && p.Limit != nil {
		b.prop("TasksMax", dbus.Uint64(tasks(*p.Limit)), "linux.resources.pids.limit")
	}
	if io := r.BlockIO; io != nil && io.Weight != nil && *io.Weight != 0 {
		if b.onV1("blkio") {
			b.prop("BlockIOWeight", dbus.Uint64(uint64(*io.Weight)), fieldBlockIO+"weight")
		} else {
			b.prop("IOWeight", dbus.Uint64(ioWeight(*io.Weight)), fieldBlockIO+"weight")
		}
	}
	b.unitUnified(r.Unified)
}

// tasks is a limit of processes for systemd, which does not take 0 (nor does the kernel at a start: see pids).
func tasks(limit int64) uint64 {
	if limit < 0 {
		return infinity
	}
	return max(uint64(limit), 1)
}

// amount is a limit of which a negative one is none.
func amount(n int64) dbus.Value {
	if n < 0 {
		return dbus.Uint64(infinity)
	}
	return dbus.Uint64(uint64(n))
}

func (b *builder) unitMemory(m *specs.LinuxMemory) {
	if m == nil {
		return
	}
	limit, reservation, swap := value(m.Limit), value(m.Reservation), value(m.Swap)
	if b.onV1("memory") {
		if limit != 0 {
			b.prop("MemoryLimit", amount(limit), fieldLimit)
		}
		return
	}
	if limit != 0 {
		b.prop("MemoryMax", amount(limit), fieldLimit)
	}
	if reservation != 0 {
		b.prop("MemoryLow", amount(reservation), fieldReservation)
	}
	switch {
	case swap > 0:
		b.prop("MemorySwapMax", amount(max(swap-max(limit, 0), 0)), fieldSwap)
	case swap == -1 || limit == -1:
		b.prop("MemorySwapMax", dbus.Uint64(infinity), fieldSwap)
	}
}

func (b *builder) unitCPU(c *specs.LinuxCPU) {
	if c == nil {
		return
	}
	idle := c.Idle != nil && *c.Idle == 1
	switch shares := uvalue(c.Shares); {
	case b.onV1("cpu"):
		if shares != 0 {
			b.prop("CPUShares", dbus.Uint64(shares), fieldCPU+"shares")
		}
	case idle:
		b.unitIdle(fieldCPU + "idle")
	case shares != 0:
		b.prop("CPUWeight", dbus.Uint64(weightFromShares(shares)), fieldCPU+"shares")
	}
	if quota, period := value(c.Quota), uvalue(c.Period); quota != 0 || period != 0 {
		b.unitQuota(quota, period, fieldCPU+"quota")
	}
}

// unitIdle plans the weight that stands for cpu.idle.
func (b *builder) unitIdle(field string) {
	u := b.plan.Unit
	u.Properties = append(u.Properties, Property{Name: "CPUWeight", Value: dbus.Uint64(0), Field: field, Since: cpuIdleSince})
}

func (b *builder) unitQuota(quota int64, period uint64, field string) {
	if period != 0 {
		b.prop("CPUQuotaPeriodUSec", dbus.Uint64(period), field)
	}
	v := dbus.Uint64(infinity)
	if quota > 0 {
		v = dbus.Uint64(perSecond(quota, period))
	}
	b.prop("CPUQuotaPerSecUSec", v, field)
}

// perSecond converts a quota for systemd, in microseconds a second: rounded up to whole percents, since
// that is what it keeps.
func perSecond(quota int64, period uint64) uint64 {
	const percent = 10000
	if period == 0 {
		period = defaultPeriod
	}
	exact := float64(quota) * 1000000 / float64(period)
	if exact >= infinity/2 {
		return infinity
	}
	return uint64(math.Ceil(exact/percent)) * percent
}

// wholePercents returns r with the CPU quota that systemd makes of it, so that both write the same.
func wholePercents(r *specs.LinuxResources) *specs.LinuxResources {
	if r == nil || r.CPU == nil || value(r.CPU.Quota) <= 0 {
		return r
	}
	period := uvalue(r.CPU.Period)
	if period == 0 {
		period = defaultPeriod
	}
	rounded := float64(perSecond(*r.CPU.Quota, period)) * float64(period) / 1000000
	if rounded >= math.MaxInt64/2 {
		return r
	}
	whole, cpu, quota := *r, *r.CPU, int64(rounded)
	whole.CPU, cpu.Quota = &cpu, &quota
	return &whole
}

func (b *builder) unitCpuset(c *specs.LinuxCPU) {
	if c == nil {
		return
	}
	b.unitList("AllowedCPUs", c.Cpus, fieldCPU+"cpus")
	b.unitList("AllowedMemoryNodes", c.Mems, fieldCPU+"mems")
}

func (b *builder) unitList(name, list, field string) {
	if strings.TrimSpace(list) == "" {
		return
	}
	bits, err := bitmap(list)
	if err != nil {
		b.fail(field, "%s", err)
		return
	}
	b.prop(name, dbus.Bytes(bits), field)
}

// maxBit bounds the numbers of CPUs and memory nodes, as CONFIG_NR_CPUS does (8192).
const maxBit = 1 << 13

// bitmap turns a list like 0-2,4 (cpuset(7), "List format") into systemd's bits, the lowest first.
func bitmap(list string) ([]byte, error) {
	var bits []byte
	for part := range strings.SplitSeq(list, ",") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		first, last, isRange := strings.Cut(part, "-")
		if !isRange {
			last = first
		}
		from, err := strconv.ParseUint(first, 10, 32)
		to, err2 := strconv.ParseUint(last, 10, 32)
		if err != nil || err2 != nil || from > to || to >= maxBit {
			return nil, errorf("%q is not a number, or a range, below %d", part, maxBit)
		}
		for ; from <= to; from++ {
			for int(from/8) >= len(bits) {
				bits = append(bits, 0)
			}
			bits[from/8] |= 1 << (from % 8)
		}
	}
	if bits == nil {
		return nil, errorf("%q names nothing", list)
	}
	return bits, nil
}
