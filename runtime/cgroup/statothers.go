package cgroup

import (
	"bytes"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
)

// pids reads the controller's files, which are the same in both versions.
func (r *statReader) pids() {
	p := &r.s.Pids
	current, ok := r.numberIf("pids.current")
	if !ok {
		text, _ := r.read("cgroup.procs")
		p.Current = uint64(bytes.Count(text, []byte("\n")))
		return
	}
	p.Current = current
	if p.Limit = r.number("pids.max"); p.Limit == NoLimit {
		p.Limit = 0
	}
}

// hugetlbV1 reads hugetlb.SIZE.* of each page size (cgroup-v1/hugetlb.rst).
func (r *statReader) hugetlbV1() {
	for _, size := range HugePageSizes() {
		prefix := "hugetlb." + size + ".rsvd."
		current, ok := r.numberIf(prefix + "usage_in_bytes")
		if !ok {
			prefix = "hugetlb." + size + "."
			if current, ok = r.numberIf(prefix + "usage_in_bytes"); !ok {
				continue
			}
		}
		r.s.Hugetlb = append(r.s.Hugetlb, HugetlbStats{size, Usage{
			Current: current,
			Max:     r.number(prefix + "max_usage_in_bytes"),
			Limit:   r.number(prefix + "limit_in_bytes"),
			Failed:  r.number(prefix + "failcnt"),
		}})
	}
}

func (r *statReader) hugetlbV2() {
	for _, size := range HugePageSizes() {
		prefix := "hugetlb." + size + "."
		limits := prefix + "rsvd."
		current, ok := r.numberIf(limits + "current")
		if !ok {
			limits = prefix
			if current, ok = r.numberIf(limits + "current"); !ok {
				return // no controller
			}
		}
		h := HugetlbStats{size, Usage{Current: current, Limit: r.number(limits + "max")}}
		r.flat(prefix+"events", func(key []byte, v uint64) {
			if string(key) == "max" {
				h.Usage.Failed = v
			}
		})
		r.s.Hugetlb = append(r.s.Hugetlb, h)
	}
}

// hugePages has a directory for each size of huge pages.
const hugePages = "/sys/kernel/mm/hugepages"

// HugePageSizes lists the host's sizes of huge pages as the controller names
// them, the smallest first.
func HugePageSizes() []string {
	entries, _ := os.ReadDir(hugePages)
	var kib []int
	for _, e := range entries {
		size, ok := strings.CutPrefix(e.Name(), "hugepages-")
		n, err := strconv.Atoi(strings.TrimSuffix(size, "kB"))
		if ok && err == nil {
			kib = append(kib, n)
		}
	}
	slices.Sort(kib)
	sizes := make([]string, len(kib))
	for i, n := range kib {
		sizes[i] = pageSize(n)
	}
	return sizes
}

// pageSize spells a size as mm/hugetlb_cgroup.c does: 2048 KiB are "2MB".
func pageSize(kib int) string {
	switch {
	case kib >= 1<<20:
		return strconv.Itoa(kib>>20) + "GB"
	case kib >= 1<<10:
		return strconv.Itoa(kib>>10) + "MB"
	}
	return strconv.Itoa(kib) + "KB"
}

// rdma reads lines of "DEVICE hca_handle=N hca_object=N", the same in both
// versions. A device may go between the two files.
func (r *statReader) rdma() {
	r.rdmaFile("rdma.current", func(device []byte, handles, objects uint32) {
		r.s.RDMA = append(r.s.RDMA, RDMAStats{Device: string(device), Handles: handles, Objects: objects})
	})
	r.rdmaFile("rdma.max", func(device []byte, handles, objects uint32) {
		for i := range r.s.RDMA {
			if d := &r.s.RDMA[i]; d.Device == string(device) {
				d.HandlesLimit, d.ObjectsLimit = handles, objects
			}
		}
	})
}

func (r *statReader) rdmaFile(name string, f func(device []byte, handles, objects uint32)) {
	text, _ := r.read(name)
	for line := range bytes.Lines(text) {
		device, rest, _ := bytes.Cut(bytes.TrimSpace(line), []byte(" "))
		var handles, objects uint32
		for field := range bytes.FieldsSeq(rest) {
			key, value, _ := bytes.Cut(field, []byte("="))
			n, ok := counter(value)
			if !ok {
				r.bad(name, line)
				return
			}
			switch string(key) {
			case "hca_handle":
				handles = uint32(min(n, math.MaxUint32))
			case "hca_object":
				objects = uint32(min(n, math.MaxUint32))
			}
		}
		f(device, handles, objects)
	}
}
