package spec

import (
	"strings"
)

// linux checks config-linux.md, in the order of the fields of specs.Linux.
func (c *checker) linux() {
	l := c.spec.Linux
	c.userMappings()
	c.sysctls()
	if l.Resources != nil {
		p := root.at("linux/resources")
		c.resources(&p, l.Resources)
	}
	p := root.at("linux/cgroupsPath")
	c.line(&p, l.CgroupsPath)
	c.namespaces()
	c.devices()
	c.netDevices()
	p = root.at("linux/rootfsPropagation")
	if _, _, ok := RootfsPropagation(l.RootfsPropagation); !ok && l.RootfsPropagation != "" {
		c.add(&p, "%q is none of shared, slave, private and unbindable", l.RootfsPropagation)
	}
	p = root.at("linux/maskedPaths")
	c.absolutes(&p, l.MaskedPaths)
	p = root.at("linux/readonlyPaths")
	c.absolutes(&p, l.ReadonlyPaths)
	p = root.at("linux/mountLabel")
	c.line(&p, l.MountLabel)
	c.intelRdt()
	c.memoryPolicy()
	c.personality()
	c.timeOffsets()
}

func (c *checker) namespaces() {
	p := root.at("linux/namespaces")
	var seen uint64
	for i, ns := range c.spec.Linux.Namespaces {
		item := p.item(i)
		place := item.at("type")
		flag, ok := NamespaceFlag(ns.Type)
		switch {
		case ns.Type == "":
			c.add(&place, "required")
		case !ok:
			c.add(&place, "unknown namespace %q", ns.Type)
		case seen&flag != 0:
			c.add(&place, "namespace %s is given twice", ns.Type)
		}
		seen |= flag
		if ns.Path != "" {
			place = item.at("path")
			c.absolute(&place, ns.Path)
		}
	}
}

// intelRdt checks what becomes the name of a directory, and lines of a file, in resctrl.
func (c *checker) intelRdt() {
	rdt := c.spec.Linux.IntelRdt
	if rdt == nil {
		return
	}
	p := root.at("linux/intelRdt/closID")
	id := rdt.ClosID
	if id != "/" && (id == "." || id == ".." || strings.ContainsAny(id, "/\n\x00")) {
		c.add(&p, "%q is not the name of a directory", id)
	}
	p = root.at("linux/intelRdt/schemata")
	for i, line := range rdt.Schemata {
		item := p.item(i)
		c.line(&item, line)
	}
	p = root.at("linux/intelRdt/l3CacheSchema")
	c.text(&p, rdt.L3CacheSchema) // "SHOULD NOT contain newlines"
	p = root.at("linux/intelRdt/memBwSchema")
	c.line(&p, rdt.MemBwSchema)
	if rdt.MemBwSchema != "" && !strings.HasPrefix(rdt.MemBwSchema, "MB:") {
		c.add(&p, "%q does not start with MB:", rdt.MemBwSchema)
	}
}

func (c *checker) personality() {
	personality := c.spec.Linux.Personality
	if personality == nil {
		return
	}
	p := root.at("linux/personality/domain")
	if _, ok := Personality(personality.Domain); !ok {
		c.add(&p, "%q is neither LINUX nor LINUX32", personality.Domain)
	}
	p = root.at("linux/personality/flags")
	if len(personality.Flags) != 0 {
		c.add(&p, "no flags are defined")
	}
}
