package cgroup

import (
	"bytes"
	"strings"
)

func (r *statReader) memoryV1() {
	m := &r.s.Memory
	m.Stat = r.counters("memory.stat")
	m.Cache = m.Get("cache")
	m.Usage = r.usageV1("memory.")
	m.Swap = r.usageV1("memory.memsw.") // missing with swapaccount=0
	if m.Swap.Current > m.Usage.Current {
		m.SwapOnly.Current = m.Swap.Current - m.Usage.Current
	}
	if m.Swap.Failed > m.Usage.Failed {
		m.SwapOnly.Failed = m.Swap.Failed - m.Usage.Failed
	}
	m.Kernel = r.usageV1("memory.kmem.")
	m.KernelTCP = r.usageV1("memory.kmem.tcp.")
	r.flat("memory.oom_control", func(key []byte, v uint64) {
		if string(key) == "oom_kill" { // since Linux 4.13
			m.Events.OOMKill = v
		}
	})
}

// usageV1 reads the four files of a version 1 counter.
func (r *statReader) usageV1(prefix string) Usage {
	return Usage{
		Current: r.number(prefix + "usage_in_bytes"),
		Max:     r.number(prefix + "max_usage_in_bytes"),
		Limit:   r.number(prefix + "limit_in_bytes"),
		Failed:  r.number(prefix + "failcnt"),
	}
}

func (r *statReader) memoryV2() {
	m := &r.s.Memory
	if m.Stat = r.counters("memory.stat"); m.Stat == nil {
		return // no controller
	}
	m.Cache = m.Get("file")
	m.Usage = r.usageV2("memory.")
	m.SwapOnly = r.usageV2("memory.swap.") // missing without CONFIG_SWAP
	m.Swap = Usage{Current: m.Usage.Current + m.SwapOnly.Current, Limit: m.SwapOnly.Limit}
	switch {
	case m.Swap.Limit == NoLimit:
	case m.Usage.Limit == NoLimit:
		m.Swap.Limit = NoLimit
	default:
		m.Swap.Limit += m.Usage.Limit
	}
	e := &m.Events
	r.flat("memory.events", func(key []byte, v uint64) {
		switch string(key) {
		case "low":
			e.Low = v
		case "high":
			e.High = v
		case "max":
			e.Max = v
		case "oom":
			e.OOM = v
		case "oom_kill":
			e.OOMKill = v
		}
	})
}

func (r *statReader) usageV2(prefix string) Usage {
	return Usage{
		Current: r.number(prefix + "current"),
		Max:     r.number(prefix + "peak"),
		Limit:   r.number(prefix + "max"),
	}
}

// counters reads a flat keyed file whole, nil without one. The names are parts
// of one string.
func (r *statReader) counters(name string) []Counter {
	data, ok := r.read(name)
	if !ok {
		return nil
	}
	list := make([]Counter, 0, bytes.Count(data, []byte("\n")))
	for line := range strings.Lines(string(data)) {
		key, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		n, ok := counter(value)
		if !ok {
			r.bad(name, []byte(line))
			return nil
		}
		list = append(list, Counter{key, n})
	}
	return list
}
