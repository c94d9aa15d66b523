package container

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/runtime/launch"
)

// mapMount maps the ids of a mount that the container's process has copied from below its root, where earlier mounts
// have put it. r.FDs is the copy, which is mounted nowhere.
func (m *making) mapMount(r *launch.Request) error {
	defer func() {
		for _, fd := range r.FDs {
			unix.Close(fd)
		}
	}()
	if len(r.FDs) != 1 {
		return errors.New("internal error: the mount did not arrive")
	}
	info := m.proc.Describe(r.Step)
	for _, id := range m.program.IDMaps {
		if id.Field != info.Field {
			continue
		}
		failpoint("map-mount")
		if err := launch.MapMount(r.FDs[0], id); err != nil {
			return fmt.Errorf("cannot %s (%s): %w", info.What, info.Field, err)
		}
		return nil
	}
	return fmt.Errorf("internal error: %s has no mapping", info.Field)
}
