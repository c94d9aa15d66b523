package spec

import specs "github.com/opencontainers/runtime-spec/specs-go"

// maxMappings is how many lines uid_map and gid_map take (user_namespaces(7), since Linux 4.15).
const maxMappings = 340

// userMappings checks linux.uidMappings and gidMappings. A new user namespace needs both; one that is joined may
// repeat those that it has.
func (c *checker) userMappings() {
	l := c.spec.Linux
	user := Namespace(c.spec, specs.UserNamespace)
	for _, m := range [...]struct {
		key  string
		list []specs.LinuxIDMapping
	}{{"linux/uidMappings", l.UIDMappings}, {"linux/gidMappings", l.GIDMappings}} {
		p := root.at(m.key)
		switch {
		case user == nil && len(m.list) != 0:
			c.add(&p, "cannot be set without a user namespace in /linux/namespaces")
		case user != nil && user.Path == "" && len(m.list) == 0:
			c.add(&p, "required for a new user namespace")
		}
		c.mappings(&p, m.list)
	}
}

// mappings checks the rules of user_namespaces(7), which idmapped mounts follow too.
func (c *checker) mappings(p *path, list []specs.LinuxIDMapping) {
	if len(list) > maxMappings {
		c.add(p, "%d entries are more than the kernel's maximum of %d", len(list), maxMappings)
		return
	}
	for i, m := range list {
		item := p.item(i)
		place := item.at("size")
		switch {
		case m.Size == 0:
			c.add(&place, "must not be 0")
			continue
		case uint64(m.ContainerID)+uint64(m.Size) > invalidID || uint64(m.HostID)+uint64(m.Size) > invalidID:
			c.add(&place, "%d leads past the last id, %d", m.Size, uint32(invalidID-1))
			continue
		}
		for j, other := range list[:i] {
			if overlap(m.ContainerID, m.Size, other.ContainerID, other.Size) {
				c.add(&item, "container ids overlap with those of entry %d", j)
				break
			}
			if overlap(m.HostID, m.Size, other.HostID, other.Size) {
				c.add(&item, "host ids overlap with those of entry %d", j)
				break
			}
		}
	}
}

func overlap(a, sizeA, b, sizeB uint32) bool {
	return uint64(a) < uint64(b)+uint64(sizeB) && uint64(b) < uint64(a)+uint64(sizeA)
}
