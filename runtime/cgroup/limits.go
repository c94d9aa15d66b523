package cgroup

import (
	"sort"
	"strings"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// pids plans linux.resources.pids. A negative limit is none. The specification
// makes 0 a real limit; it is written as 1, as in runc: the container's first
// process must fit (clone3(2) into a group whose pids.max is 0 fails), and
// neither lets it fork.
func (b *builder) pids(p *specs.LinuxPids) {
	if p == nil || p.Limit == nil {
		return
	}
	v := limitOrMax(*p.Limit)
	if v == "0" {
		v = "1"
	}
	b.both("pids", "pids.max", v, "linux.resources.pids.limit")
}

// both plans a write to a file that has the same name and syntax in both versions.
func (b *builder) both(controller, file, value, field string) {
	if b.onV1(controller) {
		b.set1(controller, file, value, field)
	} else {
		b.set2(controller, file, value, field)
	}
}

// hugepages plans linux.resources.hugepageLimits: the limit on usage, and on
// reservations where the kernel has it (5.7).
func (b *builder) hugepages(limits []specs.LinuxHugepageLimit) {
	for i, l := range limits {
		field := "linux.resources.hugepageLimits" + index(i)
		if !isPageSize(l.Pagesize) {
			b.fail(field+".pageSize", "%q is not of the form 64KB, 2MB or 1GB", l.Pagesize)
			continue
		}
		name, v := "hugetlb."+l.Pagesize, unsigned(l.Limit)
		if b.onV1("hugetlb") {
			b.set1("hugetlb", name+".limit_in_bytes", v, field)
			b.set1("hugetlb", name+".rsvd.limit_in_bytes", v, field).SkipMissing = true
		} else {
			b.set2("hugetlb", name+".max", v, field)
			b.set2("hugetlb", name+".rsvd.max", v, field).SkipMissing = true
		}
	}
}

// isPageSize checks the form digits, one of K M G, B.
func isPageSize(s string) bool {
	n := len(s) - 2
	if n < 1 || s[n+1] != 'B' || !strings.Contains("KMG", s[n:n+1]) {
		return false
	}
	return strings.Trim(s[:n], "0123456789") == ""
}

// network plans linux.resources.network, which only version 1 has.
func (b *builder) network(n *specs.LinuxNetwork) {
	const field = "linux.resources.network."
	if n == nil {
		return
	}
	if n.ClassID != nil && *n.ClassID != 0 {
		if b.onV1("net_cls") {
			b.set1("net_cls", "net_cls.classid", unsigned(uint64(*n.ClassID)), field+"classID")
		} else {
			b.need("net_cls", field+"classID")
		}
	}
	for i, p := range n.Priorities {
		f := field + "priorities" + index(i)
		switch {
		case p.Name == "" || strings.ContainsAny(p.Name, " \n/"):
			b.fail(f+".name", "%q is not an interface name", p.Name)
		case b.onV1("net_prio"):
			b.set1("net_prio", "net_prio.ifpriomap", p.Name+" "+unsigned(uint64(p.Priority)), f)
		default:
			b.need("net_prio", f)
		}
	}
}

// rdma plans linux.resources.rdma.
func (b *builder) rdma(devices map[string]specs.LinuxRdma) {
	names := make([]string, 0, len(devices))
	for name := range devices {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		d, field := devices[name], `linux.resources.rdma["`+name+`"]`
		line := name
		if d.HcaHandles != nil {
			line += " hca_handle=" + unsigned(uint64(*d.HcaHandles))
		}
		if d.HcaObjects != nil {
			line += " hca_object=" + unsigned(uint64(*d.HcaObjects))
		}
		if name == "" || strings.ContainsAny(name, " \n") || line == name {
			b.fail(field, "it takes a device name and hcaHandles or hcaObjects")
			continue
		}
		b.both("rdma", "rdma.max", line, field)
	}
}

const fieldUnified = "linux.resources.unified"

// unified plans linux.resources.unified: raw files of version 2, one write for
// each line of a value. It comes after the other limits, so it can override them.
func (b *builder) unified(raw map[string]string) {
	keys := make([]string, 0, len(raw))
	for k := range raw {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	for _, k := range keys {
		field := fieldUnified + `["` + k + `"]`
		controller, rest, _ := strings.Cut(k, ".")
		switch {
		case controller == "" || rest == "" || strings.ContainsAny(k, "/\x00"):
			b.fail(field, "the key must be a file name of the form controller.setting")
		case k == "cgroup.procs" || k == "cgroup.threads" || k == "cgroup.kill":
			b.fail(field, "the file acts on processes, it is no setting")
		case strings.TrimSpace(raw[k]) == "":
			b.fail(field, "the value is empty")
		case b.rawAllowed(controller, field):
			for line := range strings.SplitSeq(strings.TrimRight(raw[k], "\n"), "\n") {
				b.add(Write{Controller: controller, Path: b.v2 + "/" + k, Value: line, Field: field})
			}
		}
	}
}

// rawAllowed enables the controller of a raw key; cgroup.* files need none.
func (b *builder) rawAllowed(controller, field string) bool {
	if b.v2 == "" {
		b.errs = append(b.errs, unavailable("cannot set %s: this host has no cgroup v2", field))
		return false
	}
	return controller == "cgroup" || b.need(controller, field)
}

func index(i int) string { return "[" + decimal(int64(i)) + "]" }

func parentDir(dir string) string { return dir[:strings.LastIndexByte(dir, '/')] }
