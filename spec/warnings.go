package spec

import (
	"slices"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// Warnings returns what a runtime should mention and must not refuse: deprecated fields, settings without an
// effect, capabilities that this package has no number for (config.md: "logged as a warning").
func Warnings(s *specs.Spec) []Problem {
	c := checker{spec: s}
	if s.Process != nil {
		c.processWarnings(s.Process)
	}
	c.mountWarnings()
	c.hookWarnings()
	if s.Linux != nil {
		c.linuxWarnings(s.Linux)
	}
	return c.problems
}

func (c *checker) processWarnings(process *specs.Process) {
	p := root.at("process/consoleSize")
	if process.ConsoleSize != nil && !process.Terminal {
		c.add(&p, "ignored without a terminal")
	}
	if process.Capabilities == nil {
		return
	}
	p = root.at("process/capabilities")
	for _, set := range capabilitySets(process.Capabilities) {
		list := p.at(set.key)
		for i, name := range set.names {
			item := list.item(i)
			if _, ok := Capability(name); !ok {
				c.add(&item, "unknown capability %q is ignored", name)
			}
		}
	}
}

// capabilitySet is one of the five sets, with its name in config.json.
type capabilitySet struct {
	key   string
	names []string
}

func capabilitySets(caps *specs.LinuxCapabilities) [5]capabilitySet {
	return [...]capabilitySet{
		{"bounding", caps.Bounding},
		{"effective", caps.Effective},
		{"inheritable", caps.Inheritable},
		{"permitted", caps.Permitted},
		{"ambient", caps.Ambient},
	}
}

// UnknownCapabilities are the names in caps that this package has no number for, each once.
func UnknownCapabilities(caps *specs.LinuxCapabilities) (names []string) {
	for _, set := range capabilitySets(caps) {
		for _, name := range set.names {
			if _, ok := Capability(name); !ok && !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	return names
}

func (c *checker) mountWarnings() {
	p := root.at("mounts")
	for i, m := range c.spec.Mounts {
		item := p.item(i)
		place := item.at("destination")
		if m.Destination != "" && m.Destination[0] != '/' {
			c.add(&place, "path %q is relative, which is deprecated; it is taken as relative to /", m.Destination)
		}
		place = item.at("options")
		mapped := len(m.UIDMappings) != 0 || len(m.GIDMappings) != 0
		if mapped && !hasWord(m.Options, "idmap") && !hasWord(m.Options, "ridmap") {
			c.add(&place, "should have idmap or ridmap along with uidMappings and gidMappings")
		}
	}
}

func (c *checker) hookWarnings() {
	p := root.at("hooks/prestart")
	if h := c.spec.Hooks; h != nil && len(h.Prestart) != 0 { //nolint:staticcheck // that is the point
		c.add(&p, "deprecated, use createRuntime, createContainer or startContainer")
	}
}

func (c *checker) linuxWarnings(l *specs.Linux) {
	if l.Resources != nil && l.Resources.Memory != nil {
		p := root.at("linux/resources/memory/kernel")
		if l.Resources.Memory.Kernel != nil { //nolint:staticcheck // that is the point
			c.add(&p, "deprecated, and without an effect since Linux 5.16")
		}
	}
	p := root.at("linux/devices")
	for i, d := range l.Devices {
		if d.Type == "p" {
			continue
		}
		for j, other := range l.Devices[:i] {
			if d.Type == other.Type && d.Major == other.Major && d.Minor == other.Minor {
				item := p.item(i)
				c.add(&item, "same type, major and minor as entry %d", j)
				break
			}
		}
	}
}
