package spec

import (
	"strings"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

func (c *checker) mounts() {
	p := root.at("mounts")
	for i := range c.spec.Mounts {
		item := p.item(i)
		c.mount(&item, &c.spec.Mounts[i])
	}
}

func (c *checker) mount(p *path, m *specs.Mount) {
	bind, _ := IsBind(m)
	place := p.at("destination")
	if m.Destination == "" {
		c.add(&place, "a path is required")
	}
	c.text(&place, m.Destination)
	place = p.at("type")
	c.text(&place, m.Type)
	if m.Type == "" && !bind && !hasKind(m.Options, OptRemount) {
		c.add(&place, "required, unless the options have bind or rbind")
	}
	place = p.at("source")
	c.text(&place, m.Source)
	if bind && m.Source == "" {
		c.add(&place, "a bind mount requires a path")
	}
	c.mountOptions(p, m, bind)
	c.mountMappings(p, m, bind)
}

// mountOptions refuses words that nothing would understand. For a bind mount these are all that MountOption does
// not know: there is no file system to pass them to. For another mount they are the words without a value that
// the file system does not have, and for a type that we have no list for, misspellings of a known word.
func (c *checker) mountOptions(p *path, m *specs.Mount, bind bool) {
	options := p.at("options")
	for i, word := range m.Options {
		if _, known := MountOption(word); known {
			continue
		}
		if _, ok := IDMapWord(word); ok { // mountMappings has a look at it
			continue
		}
		item := options.item(i)
		if !c.text(&item, word) {
			continue
		}
		if !bind && fsTakes(m.Type, word) && (fsListed(m.Type) || hasValue(word) || !misspelt(word)) {
			continue
		}
		likely := similar(word)
		switch {
		case likely != "":
			c.add(&item, "unknown option %q, did you mean %q?", word, likely)
		case bind:
			c.add(&item, "unknown option %q for a bind mount", word)
		default:
			c.add(&item, "unknown option %q for file system %s", word, m.Type)
		}
	}
}

// mountMappings checks idmapped mounts (config.md, "POSIX-platform Mounts").
func (c *checker) mountMappings(p *path, m *specs.Mount, bind bool) {
	place := p.at("uidMappings")
	c.mappings(&place, m.UIDMappings)
	if len(m.UIDMappings) == 0 && len(m.GIDMappings) != 0 {
		c.add(&place, "required along with gidMappings")
	}
	place = p.at("gidMappings")
	c.mappings(&place, m.GIDMappings)
	if len(m.GIDMappings) == 0 && len(m.UIDMappings) != 0 {
		c.add(&place, "required along with uidMappings")
	}
	mapped := len(m.UIDMappings) != 0 || len(m.GIDMappings) != 0
	word := hasWord(m.Options, "idmap") || hasWord(m.Options, "ridmap")
	place = p.at("options")
	for i, option := range m.Options {
		if _, ok := IDMapWord(option); ok {
			item := place.item(i)
			c.idMapWord(&item, option, mapped)
			mapped = true
		}
	}
	switch {
	case (mapped || word) && !bind:
		c.add(&place, "only a bind mount can be id-mapped")
	case word && !mapped && Namespace(c.spec, specs.UserNamespace) == nil:
		c.add(&place, "idmap requires uidMappings and gidMappings, or a user namespace in /linux/namespaces")
	}
}

// idMapWord checks an option with mappings; others says that there are mappings already.
func (c *checker) idMapWord(p *path, option string, others bool) {
	uids, gids, err := ParseIDMapWord(c.spec, option)
	switch {
	case err != nil:
		c.add(p, "cannot use %q: %v", option, err)
	case others:
		c.add(p, "%q stands beside other mappings", option)
	default:
		found := checker{spec: c.spec}
		found.mappings(root, uids)
		found.mappings(root, gids)
		for _, problem := range found.problems { // they are all about this one option
			c.add(p, "cannot use %q: entry %s: %s", option, strings.Trim(problem.Pointer, "/"), problem.Message)
		}
	}
}

func hasWord(options []string, word string) bool {
	for _, o := range options {
		if o == word {
			return true
		}
	}
	return false
}

func hasKind(options []string, kind OptKind) bool {
	for _, word := range options {
		if o, ok := MountOption(word); ok && o.Kind == kind {
			return true
		}
	}
	return false
}
