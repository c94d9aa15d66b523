package cgroup

import (
	"strconv"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

const (
	fieldMemory      = "linux.resources.memory."
	fieldLimit       = fieldMemory + "limit"
	fieldReservation = fieldMemory + "reservation"
	fieldSwap        = fieldMemory + "swap"
)

// memory plans linux.resources.memory. In limit, reservation and swap, 0 means
// unset (as in runc: engines write it for "no limit given") and -1 unlimited.
func (b *builder) memory(m *specs.LinuxMemory) {
	if m == nil {
		return
	}
	limit, reservation, swap := value(m.Limit), value(m.Reservation), value(m.Swap)
	for _, v := range []struct {
		field string
		value int64
	}{{fieldLimit, limit}, {fieldReservation, reservation}, {fieldSwap, swap}} {
		if v.value < -1 {
			b.fail(v.field, "%d is neither a number of bytes nor -1", v.value)
			return
		}
	}
	if swap > 0 && (limit > swap) {
		b.fail(fieldSwap, "%d is memory and swap together, so it must be at least %s, %d", swap, fieldLimit, limit)
		return
	}
	if m.Kernel != nil {
		b.note(fieldMemory + "kernel is ignored: Linux has no kernel memory limit since 5.4")
	}
	if m.UseHierarchy != nil && !*m.UseHierarchy {
		b.note(fieldMemory + "useHierarchy is ignored: memory is always accounted hierarchically since Linux 5.11")
	}
	if b.onV1("memory") {
		b.memoryV1(m, limit, reservation, swap)
	} else {
		b.memoryV2(m, limit, reservation, swap)
	}
}

// memoryV1: memsw bounds limit from above, so a new group takes limit first;
// the other order, needed to raise both, comes from the executor's retry.
func (b *builder) memoryV1(m *specs.LinuxMemory, limit, reservation, swap int64) {
	const memsw = "memory.memsw.limit_in_bytes"
	if limit != 0 {
		b.set1("memory", "memory.limit_in_bytes", decimal(limit), fieldLimit)
	}
	switch {
	case swap != 0:
		// Without swap accounting there is nothing to lift.
		b.set1("memory", memsw, decimal(swap), fieldSwap).SkipMissing = swap == -1
	case limit == -1:
		b.set1("memory", memsw, "-1", fieldLimit).SkipMissing = true
	}
	if reservation != 0 {
		b.set1("memory", "memory.soft_limit_in_bytes", decimal(reservation), fieldReservation)
	}
	if tcp := value(m.KernelTCP); tcp != 0 {
		b.set1("memory", "memory.kmem.tcp.limit_in_bytes", decimal(tcp), fieldMemory+"kernelTCP").SkipMissing = tcp == -1
	}
	if s := m.Swappiness; s != nil {
		if *s > 100 {
			b.fail(fieldMemory+"swappiness", "%d is not between 0 and 100", *s)
			return
		}
		b.set1("memory", "memory.swappiness", unsigned(*s), fieldMemory+"swappiness")
	}
	if d := m.DisableOOMKiller; d != nil && (*d || b.update) {
		b.set1("memory", "memory.oom_control", flag(*d), fieldMemory+"disableOOMKiller")
	}
}

// memoryV2: memory.swap.max counts swap alone where the config's swap includes
// memory. It comes first: a lowered memory.max may have to swap.
func (b *builder) memoryV2(m *specs.LinuxMemory, limit, reservation, swap int64) {
	if limit != 0 && !b.need("memory", fieldLimit) {
		return
	}
	switch {
	case swap > 0 && limit == 0:
		b.fail(fieldSwap, "cgroup v2 counts swap alone, which takes %s to work out", fieldLimit)
		return
	case swap == -1:
		b.set2("memory", "memory.swap.max", "max", fieldSwap).SkipMissing = true
	case swap == 0 && limit == -1:
		b.set2("memory", "memory.swap.max", "max", fieldLimit).SkipMissing = true
	case swap > 0:
		only := swap - max(limit, 0)
		// Without swap accounting, 0 is what there is.
		b.set2("memory", "memory.swap.max", decimal(only), fieldSwap).SkipMissing = only == 0
		b.check(m, "memory.swap.current", only, fieldSwap)
	}
	if limit != 0 {
		b.check(m, "memory.current", limit, fieldLimit)
		b.set2("memory", "memory.max", limitOrMax(limit), fieldLimit)
	}
	if reservation != 0 {
		b.set2("memory", "memory.low", limitOrMax(reservation), fieldReservation)
	}
	if value(m.KernelTCP) > 0 {
		b.v1Only(fieldMemory + "kernelTCP")
	}
	if m.Swappiness != nil {
		b.v1Only(fieldMemory + "swappiness")
	}
	if m.DisableOOMKiller != nil && *m.DisableOOMKiller {
		b.v1Only(fieldMemory + "disableOOMKiller")
	}
}

// check plans memory.checkBeforeUpdate: version 2 kills where version 1 refuses.
func (b *builder) check(m *specs.LinuxMemory, file string, limit int64, field string) {
	if m.CheckBeforeUpdate != nil && *m.CheckBeforeUpdate && limit >= 0 {
		b.plan.checks = append(b.plan.checks, check{path: b.v2 + "/" + file, field: field, limit: uint64(limit)})
	}
}

func value(p *int64) int64 {
	if p == nil {
		return 0
	}
	return *p
}

func decimal(v int64) string { return strconv.FormatInt(v, 10) }

func unsigned(v uint64) string { return strconv.FormatUint(v, 10) }

// limitOrMax spells a limit for version 2, where unlimited is "max".
func limitOrMax(v int64) string {
	if v < 0 {
		return "max"
	}
	return decimal(v)
}

func flag(on bool) string {
	if on {
		return "1"
	}
	return "0"
}
