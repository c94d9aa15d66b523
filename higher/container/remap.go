package container

import (
	"os"

	"github.com/dhow-containers/dhow/higher/userns"
)

// idsOf is how the ids of a container are those of the host; nil if it has no user namespace of its own.
func (m *Manager) idsOf(r *Record) *userns.Map {
	if d := m.Defaults; d != nil && d.IDs != nil && r.HostConfig.UsernsMode.IsPrivate() {
		return d.IDs
	}
	return nil
}

func (c *container) ids() *userns.Map { return c.m.idsOf(c.record()) }

// writeFile writes one of the container's files in /etc, which is its root's.
func (c *container) writeFile(name string, content []byte) error {
	if err := os.WriteFile(c.file(name), content, 0o644); err != nil {
		return err
	}
	if c.ids() == nil {
		return nil
	}
	uid, gid := c.ids().Root()
	return os.Chown(c.file(name), uid, gid)
}
