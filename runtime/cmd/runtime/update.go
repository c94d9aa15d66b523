package main

import (
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strconv"
	"strings"

	specs "github.com/opencontainers/runtime-spec/specs-go"

	"github.com/dhow-containers/dhow/runtime/cmd/runtime/internal/flags"
	"github.com/dhow-containers/dhow/spec"
)

type updateCommand struct {
	file  string
	given []string // value of each of limitFlags, "" when it was not given

	l3, memBw string // lines for resctrl
}

func updateVerb() *verb {
	return &verb{
		name:    "update",
		args:    "ID",
		summary: "change the limits of a container",
		about: `Changes what the flags name in the control group of the container ID, which must not have stopped;
other limits stay. SIZE is a number of bytes with or without a unit of 1024: 512m, 1.5g, 64KiB; -1 is
no limit. With --resources a file holds the changes, an object like config.json's linux.resources.`,
		min: 1,
		max: 1,
		new: func() command { return &updateCommand{} },
	}
}

// limitFlag is a flag that sets one limit.
type limitFlag struct {
	name, arg, help string
	set             func(value string) error
}

// limitFlags are the flags that set a field of r, whose parts must be there.
func limitFlags(r *specs.LinuxResources) []limitFlag {
	m, c := r.Memory, r.CPU
	return []limitFlag{
		{"blkio-weight", "WEIGHT", "share of the disks' time, 10 to 1000", weight(&r.BlockIO.Weight)},
		{"cpu-period", "MICROSECONDS", "length of the period that --cpu-quota is about", unsigned(&c.Period)},
		{"cpu-quota", "MICROSECONDS", "CPU time in each period, -1 for no limit", signed(&c.Quota)},
		{"cpu-burst", "MICROSECONDS", "unused CPU time that may be saved up for later periods", unsigned(&c.Burst)},
		{"cpu-share", "SHARES", "share of the CPU time, 2 to 262144", unsigned(&c.Shares)},
		{"cpu-rt-period", "MICROSECONDS", "length of the period that --cpu-rt-runtime is about", unsigned(&c.RealtimePeriod)},
		{"cpu-rt-runtime", "MICROSECONDS", "CPU time of realtime processes in each period", signed(&c.RealtimeRuntime)},
		{"cpu-idle", "0|1", "1 gives CPU time only when nobody else wants it", signed(&c.Idle)},
		{"cpuset-cpus", "LIST", "CPUs to use, such as 0-2,4", text(&c.Cpus)},
		{"cpuset-mems", "LIST", "memory nodes to use", text(&c.Mems)},
		{"memory", "SIZE", "limit of memory", size(&m.Limit)},
		{"memory-reservation", "SIZE", "memory to keep when the host runs short", size(&m.Reservation)},
		{"memory-swap", "SIZE", "limit of memory and swap together", size(&m.Swap)},
		{"kernel-memory", "SIZE", "obsolete: Linux has no such limit since 5.4", size(&m.Kernel)}, //nolint:staticcheck // deprecated, and still in use
		{"kernel-memory-tcp", "SIZE", "limit of memory of TCP buffers, of cgroup version 1 only", size(&m.KernelTCP)},
		{"pids-limit", "NUMBER", "limit of processes and threads, -1 for none", signed(&r.Pids.Limit)},
	}
}

func emptyResources() *specs.LinuxResources {
	return &specs.LinuxResources{
		Memory: &specs.LinuxMemory{}, CPU: &specs.LinuxCPU{}, Pids: &specs.LinuxPids{}, BlockIO: &specs.LinuxBlockIO{},
	}
}

func (c *updateCommand) flags() []flags.Flag {
	limits := limitFlags(emptyResources())
	c.given = make([]string, len(limits))
	table := []flags.Flag{{
		Name: "resources", Short: "r", Arg: "FILE", Files: flags.File, Value: &c.file, Help: "take the changes from FILE, - for standard input",
	}}
	for i, l := range limits {
		table = append(table, flags.Flag{Name: l.name, Arg: l.arg, Value: &c.given[i], Help: l.help, Hidden: l.name == "kernel-memory"})
	}
	return append(table,
		flags.Flag{Name: "l3-cache-schema", Arg: "SCHEMA", Value: &c.l3, Help: "share of the L3 cache, such as L3:0=7f0;1=1f (linux.intelRdt)"},
		flags.Flag{Name: "mem-bw-schema", Arg: "SCHEMA", Value: &c.memBw, Help: "share of the memory bandwidth, such as MB:0=20;1=70"})
}

func (c *updateCommand) run(a *app, args []string) (int, error) {
	r, err := c.limits()
	if err != nil {
		return 1, &usageError{err: err}
	}
	if c.file != "" {
		if r, err = readResources(c.file, a.in); err != nil {
			return 1, err
		}
	}
	if c.l3 != "" || c.memBw != "" {
		if err := a.open(a).UpdateIntelRdt(args[0], c.l3, c.memBw); err != nil {
			return 1, err
		}
		if c.file == "" && strings.Join(c.given, "") == "" {
			return 0, nil
		}
	}
	return 0, a.open(a).Update(args[0], r)
}

// limits are what the flags ask for.
func (c *updateCommand) limits() (*specs.LinuxResources, error) {
	r := emptyResources()
	for i, l := range limitFlags(r) {
		value := c.given[i]
		if value == "" {
			continue
		}
		if c.file != "" {
			return nil, fmt.Errorf("cannot use --%s: --resources leaves no place for it", l.name)
		}
		if err := l.set(value); err != nil {
			return nil, fmt.Errorf("cannot use --%s %q: %w", l.name, value, err)
		}
	}
	return r, nil
}

func readResources(path string, stdin io.Reader) (*specs.LinuxResources, error) {
	var data []byte
	var err error
	if path == "-" {
		data, err = io.ReadAll(stdin)
	} else {
		data, err = os.ReadFile(path)
	}
	if err != nil {
		return nil, fmt.Errorf("cannot read --resources: %w", err)
	}
	r, err := spec.DecodeResources(data)
	if err != nil {
		return nil, fmt.Errorf("cannot read --resources %s: %w", path, err)
	}
	return r, nil
}

func text(to *string) func(string) error {
	return func(value string) error {
		*to = value
		return nil
	}
}

func signed(to **int64) func(string) error {
	return func(value string) error {
		n, err := strconv.ParseInt(value, 10, 64)
		if err != nil {
			return errors.New("not a whole number")
		}
		*to = &n
		return nil
	}
}

func unsigned(to **uint64) func(string) error {
	return func(value string) error {
		n, err := strconv.ParseUint(value, 10, 64)
		if err != nil {
			return errors.New("not a whole number from 0")
		}
		*to = &n
		return nil
	}
}

func weight(to **uint16) func(string) error {
	return func(value string) error {
		n, err := strconv.ParseUint(value, 10, 16)
		if err != nil {
			return errors.New("not a whole number from 10 to 1000")
		}
		w := uint16(n)
		*to = &w
		return nil
	}
}

func size(to **int64) func(string) error {
	return func(value string) error {
		n, err := parseSize(value)
		if err != nil {
			return err
		}
		*to = &n
		return nil
	}
}

// parseSize reads a number of bytes as runc does (github.com/docker/go-units, RAMInBytes): a decimal number, and
// k, m, g, t or p for a power of 1024, in either case, with or without b or ib behind it; or -1.
func parseSize(s string) (int64, error) {
	bad := errors.New("not a size such as 512m, or -1 for no limit")
	if s == "-1" {
		return -1, nil
	}
	end := strings.LastIndexAny(s, "0123456789. ") + 1
	number := strings.TrimSuffix(s[:end], " ")
	if strings.Trim(number, "0123456789.") != "" {
		return 0, bad
	}
	shift, ok := unit(strings.ToLower(s[end:]))
	if !ok {
		return 0, bad
	}
	if n, err := strconv.ParseInt(number, 10, 64); err == nil { // exact where a float would not be
		if n > math.MaxInt64>>shift {
			return 0, errors.New("too large")
		}
		return n << shift, nil
	}
	f, err := strconv.ParseFloat(number, 64)
	if err != nil {
		return 0, bad
	}
	if f = math.Ldexp(f, shift); f >= math.MaxInt64 {
		return 0, errors.New("too large")
	}
	return int64(f), nil
}

// unit returns the power of two that a unit of sizes stands for.
func unit(s string) (shift int, ok bool) {
	if s == "" || s == "b" {
		return 0, true
	}
	power := strings.IndexByte("kmgtp", s[0]) + 1
	switch s[1:] {
	case "", "b", "ib":
		return 10 * power, power > 0
	}
	return 0, false
}
