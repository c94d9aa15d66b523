package cgroup

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/dhow-containers/dhow/runtime/internal/dbus"
)

// unitUnified plans the properties of those raw files that systemd writes too; without them, it would undo
// what the config says. All others it leaves alone.
func (b *builder) unitUnified(raw map[string]string) {
	for _, key := range slices.Sorted(maps.Keys(raw)) {
		field, text := fieldUnified+`["`+key+`"]`, strings.TrimSpace(raw[key])
		switch key {
		case "memory.min":
			b.unitAmount("MemoryMin", text, field)
		case "memory.low":
			b.unitAmount("MemoryLow", text, field)
		case "memory.high":
			b.unitAmount("MemoryHigh", text, field)
		case "memory.max":
			b.unitAmount("MemoryMax", text, field)
		case "memory.swap.max":
			b.unitAmount("MemorySwapMax", text, field)
		case "pids.max":
			b.unitTasks(text, field)
		case "cpu.idle":
			if text == "1" {
				b.unitIdle(field)
			}
		case "cpu.weight":
			// An idle group has no weight.
			if strings.TrimSpace(raw["cpu.idle"]) != "1" {
				b.unitAmount("CPUWeight", text, field)
			}
		case "cpu.max":
			b.unitMax(text, field)
		case "cpuset.cpus":
			b.unitList("AllowedCPUs", text, field)
		case "cpuset.mems":
			b.unitList("AllowedMemoryNodes", text, field)
		}
	}
}

// rawAmount reads a number of a version 2 file, where "max" is no limit.
func rawAmount(text string) (int64, error) {
	if text == "max" {
		return -1, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 {
		return 0, errorf("%q is neither a number nor max", text)
	}
	return n, nil
}

func (b *builder) unitAmount(name, text, field string) {
	n, err := rawAmount(text)
	if err != nil {
		b.fail(field, "%s", err)
		return
	}
	b.prop(name, amount(n), field)
}

func (b *builder) unitTasks(text, field string) {
	n, err := rawAmount(text)
	if err != nil {
		b.fail(field, "%s", err)
		return
	}
	b.prop("TasksMax", dbus.Uint64(tasks(n)), field)
}

// unitMax reads cpu.max: a quota or "max", and a period.
func (b *builder) unitMax(text, field string) {
	words := fields(text)
	if len(words) < 1 || len(words) > 2 {
		b.fail(field, "%q is not a quota and a period", text)
		return
	}
	quota, err := rawAmount(words[0])
	period := uint64(defaultPeriod)
	if err == nil && len(words) == 2 {
		period, err = strconv.ParseUint(words[1], 10, 64)
	}
	if err != nil || period == 0 {
		b.fail(field, "%q is not a quota and a period", text)
		return
	}
	b.unitQuota(quota, period, field)
}
