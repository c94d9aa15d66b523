package plan

import (
	"fmt"
	"strconv"
	"strings"

	specs "github.com/opencontainers/runtime-spec/specs-go"

	"github.com/dhow-containers/dhow/spec"
)

// checkIDs refuses what the container's new user namespace does not have: ids in mount options, which the kernel
// would call an invalid argument, and supplementary groups where setgroups(2) is denied. That the process's
// own ids are mapped is package spec's to check.
func (c *compiler) checkIDs() error {
	if !c.newNamespace(specs.UserNamespace) {
		return nil
	}
	if p := c.cfg.Process; p != nil && len(p.User.AdditionalGids) > 0 && c.in.Host.SetgroupsDenied {
		return fmt.Errorf("cannot set any additional groups in a rootless container (process.user.additionalGids): " +
			"setgroups(2) is denied to who maps one group alone, the own; newgidmap can map more (linux.gidMappings)")
	}
	for i := range c.cfg.Mounts {
		m := &c.cfg.Mounts[i]
		if m.Type != "tmpfs" && m.Type != "devpts" {
			continue
		}
		for j, word := range m.Options {
			for _, part := range splitData(word) {
				if err := c.checkOwner(m, part, indexed(indexed("mounts", i)+".options", j)); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// checkOwner looks at uid=N and gid=N.
func (c *compiler) checkOwner(m *specs.Mount, word, field string) error {
	key, value, _ := strings.Cut(word, "=")
	id, err := strconv.ParseUint(value, 10, 32)
	if err != nil {
		return nil // the file system says what is wrong with it
	}
	list, name := c.linux.UIDMappings, "linux.uidMappings"
	switch key {
	case "uid":
	case "gid":
		list, name = c.linux.GIDMappings, "linux.gidMappings"
	default:
		return nil
	}
	if _, mapped := spec.HostID(list, uint32(id)); !mapped {
		return fmt.Errorf("cannot mount %s on %s with %s (%s): the id is not in %s", m.Type, m.Destination, word, field, name)
	}
	return nil
}
