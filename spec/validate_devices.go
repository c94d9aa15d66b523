package spec

import (
	lexical "path"
	"strings"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// The kernel keeps 12 bits of major and 20 bits of minor number (linux/kdev_t.h).
const (
	maxMajor = 1<<12 - 1
	maxMinor = 1<<20 - 1
)

func (c *checker) devices() {
	p := root.at("linux/devices")
	for i := range c.spec.Linux.Devices {
		item := p.item(i)
		d := &c.spec.Linux.Devices[i]
		c.device(&item, d)
		for j := range c.spec.Linux.Devices[:i] {
			if d.Path != "" && c.spec.Linux.Devices[j].Path == d.Path {
				place := item.at("path")
				c.add(&place, "path %q is that of entry %d too", d.Path, j)
				break
			}
		}
	}
}

func (c *checker) device(p *path, d *specs.LinuxDevice) {
	place := p.at("path")
	c.absolute(&place, d.Path)
	if lexical.Clean(d.Path) == "/" {
		c.add(&place, "path %q is the root directory, not that of a device", d.Path)
	}
	place = p.at("type")
	switch d.Type {
	case "c", "b", "u":
		c.deviceNumbers(p, d.Major, d.Minor)
	case "p":
	default:
		c.add(&place, "%q is none of c, b, u and p", d.Type)
	}
	place = p.at("fileMode")
	if d.FileMode != nil && uint32(*d.FileMode) > 0o177777 {
		c.add(&place, "%d has bits beyond a file's mode (decimal 65535)", uint32(*d.FileMode))
	}
	place = p.at("uid")
	if d.UID != nil {
		c.userID(&place, *d.UID, nil, "uid")
	}
	place = p.at("gid")
	if d.GID != nil {
		c.userID(&place, *d.GID, nil, "gid")
	}
}

func (c *checker) deviceNumbers(p *path, major, minor int64) {
	place := p.at("major")
	if major < 0 || major > maxMajor {
		c.add(&place, "%d is not between 0 and %d", major, maxMajor)
	}
	place = p.at("minor")
	if minor < 0 || minor > maxMinor {
		c.add(&place, "%d is not between 0 and %d", minor, maxMinor)
	}
}

// netDevices checks names as the kernel's dev_valid_name does (net/core/dev.c).
func (c *checker) netDevices() {
	devices := c.spec.Linux.NetDevices
	if len(devices) == 0 {
		return
	}
	p := root.at("linux/netDevices")
	if Namespace(c.spec, specs.NetworkNamespace) == nil {
		c.add(&p, "cannot be set without a network namespace in /linux/namespaces")
	}
	renamed := make(map[string]string, len(devices))
	for _, name := range sortedKeys(devices) {
		place := p.member(name)
		inside := devices[name].Name
		if !validInterface(name) {
			c.add(&place, "%q is not the name of a network device", name)
		}
		rename := place.at("name")
		if inside == "" {
			inside = name
		} else if !validInterface(inside) {
			c.add(&rename, "%q is not the name of a network device", inside)
		}
		if other, taken := renamed[inside]; taken && !strings.Contains(inside, "%d") {
			c.add(&rename, "%q is the name of %s too", inside, other)
		}
		renamed[inside] = name
	}
}

func validInterface(name string) bool {
	if name == "" || len(name) > 15 || name == "." || name == ".." {
		return false
	}
	// What the kernel's isspace takes for white space includes the Latin-1 no-break space.
	return !strings.ContainsAny(name, "/: \t\n\v\f\r\x00") && strings.IndexByte(name, 0xa0) < 0
}

// timeOffsets checks the rules of time_namespaces(7).
func (c *checker) timeOffsets() {
	offsets := c.spec.Linux.TimeOffsets
	if len(offsets) == 0 {
		return
	}
	p := root.at("linux/timeOffsets")
	switch ns := Namespace(c.spec, specs.TimeNamespace); {
	case ns == nil:
		c.add(&p, "cannot be set without a time namespace in /linux/namespaces")
	case ns.Path != "":
		c.add(&p, "cannot be set in a time namespace that is joined")
	}
	for _, clock := range sortedKeys(offsets) {
		place := p.member(clock)
		if clock != "monotonic" && clock != "boottime" {
			c.add(&place, "clock %q is neither monotonic nor boottime", clock)
		}
		nanosecs := place.at("nanosecs")
		if n := offsets[clock].Nanosecs; n >= 1e9 {
			c.add(&nanosecs, "%d is not below 1000000000", n)
		}
	}
}
