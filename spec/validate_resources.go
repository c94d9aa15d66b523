package spec

import (
	"maps"
	"slices"
	"strings"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// ValidateResources checks a resources object on its own, as `update --resources` gets it.
func ValidateResources(r *specs.LinuxResources) error {
	c := checker{}
	c.resources(root, r)
	return c.result("resources")
}

func (c *checker) resources(p *path, r *specs.LinuxResources) {
	place := p.at("devices")
	for i := range r.Devices {
		item := place.item(i)
		c.deviceRule(&item, &r.Devices[i])
	}
	if r.Memory != nil {
		place = p.at("memory")
		c.memory(&place, r.Memory)
	}
	if r.CPU != nil {
		place = p.at("cpu")
		c.cpu(&place, r.CPU)
	}
	place = p.at("pids/limit")
	if r.Pids != nil {
		c.limit(&place, r.Pids.Limit)
	}
	if r.BlockIO != nil {
		place = p.at("blockIO")
		c.blockIO(&place, r.BlockIO)
	}
	place = p.at("hugepageLimits")
	c.hugepages(&place, r.HugepageLimits)
	if r.Network != nil {
		place = p.at("network/priorities")
		c.priorities(&place, r.Network.Priorities)
	}
	place = p.at("rdma")
	c.rdma(&place, r.Rdma)
	place = p.at("unified")
	c.unified(&place, r.Unified)
}

func (c *checker) deviceRule(p *path, d *specs.LinuxDeviceCgroup) {
	place := p.at("type")
	switch d.Type {
	case "", "a", "b", "c":
	default:
		c.add(&place, "%q is none of a, b and c", d.Type)
	}
	// -1 is what older engines wrote for "all".
	place = p.at("major")
	if d.Major != nil && *d.Major < -1 {
		c.add(&place, "%d is negative", *d.Major)
	}
	place = p.at("minor")
	if d.Minor != nil && *d.Minor < -1 {
		c.add(&place, "%d is negative", *d.Minor)
	}
	place = p.at("access")
	if strings.Trim(d.Access, "rwma") != "" { // "a", which some write for all, adds nothing, as in runc
		c.add(&place, "%q has characters other than r, w and m", d.Access)
	}
}

func (c *checker) priorities(p *path, list []specs.LinuxInterfacePriority) {
	for i, priority := range list {
		item := p.item(i)
		place := item.at("name")
		if !validInterface(priority.Name) {
			c.add(&place, "%q is not the name of a network device", priority.Name)
		}
	}
}

func (c *checker) hugepages(p *path, list []specs.LinuxHugepageLimit) {
	for i, limit := range list {
		item := p.item(i)
		place := item.at("pageSize")
		if !validPageSize(limit.Pagesize) {
			c.add(&place, "%q is not a page size such as 2MB", limit.Pagesize)
		}
		for j := range list[:i] {
			if list[j].Pagesize == limit.Pagesize {
				c.add(&place, "page size %s is that of entry %d too", limit.Pagesize, j)
				break
			}
		}
	}
}

// validPageSize wants <size><unit-prefix>B, which becomes part of a file's name.
func validPageSize(s string) bool {
	digits := strings.TrimRight(s, "KMGTB")
	switch s[len(digits):] {
	case "KB", "MB", "GB", "TB":
		return digits != "" && digits[0] != '0' && strings.Trim(digits, "0123456789") == ""
	}
	return false
}

func (c *checker) rdma(p *path, limits map[string]specs.LinuxRdma) {
	for _, device := range sortedKeys(limits) {
		place := p.member(device)
		if device == "" || strings.ContainsAny(device, " \n\x00") {
			c.add(&place, "%q is not the name of a device", device)
		}
		if limits[device].HcaHandles == nil && limits[device].HcaObjects == nil {
			c.add(&place, "hcaHandles or hcaObjects is required")
		}
	}
}

// unified checks the names of files in the container's cgroup. Those that move processes, switch controllers or
// freeze and kill belong to the runtime.
func (c *checker) unified(p *path, files map[string]string) {
	for _, file := range sortedKeys(files) {
		place := p.member(file)
		controller, _, dotted := strings.Cut(file, ".")
		switch {
		case !dotted || controller == "" || strings.ContainsAny(file, "/\x00"):
			c.add(&place, "%q is not the name of a cgroup file", file)
		case controller == "cgroup" && !strings.HasPrefix(file, "cgroup.max.") && file != "cgroup.pressure":
			c.add(&place, "%s is managed by the runtime", file)
		default:
			c.text(&place, files[file])
		}
	}
}

func sortedKeys[T any](m map[string]T) []string {
	if len(m) == 0 {
		return nil
	}
	return slices.Sorted(maps.Keys(m))
}
