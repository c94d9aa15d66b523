package command

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/dhow-containers/dhow/runtime/cgroup"
)

// GroupsFile keeps in the bundle the control groups where the container was born. Its init may move on, as systemd in a
// container does.
const GroupsFile = "cgroups.json"

func keepGroups(bundle string, pid int) error {
	g, err := cgroup.Of(pid)
	if err != nil {
		return err
	}
	text, err := json.Marshal(g.Paths)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(bundle, GroupsFile), text, 0o600)
}

// Groups are the control groups of the container in a bundle. The error is fs.ErrNotExist when it is not another runtime's.
func Groups(bundle string) (*cgroup.Group, error) {
	text, err := os.ReadFile(filepath.Join(bundle, GroupsFile))
	if err != nil {
		return nil, err
	}
	var paths map[string]string
	if err := json.Unmarshal(text, &paths); err != nil {
		return nil, fmt.Errorf("cannot read the control groups of %s: %w", bundle, err)
	}
	return cgroup.Open(paths), nil
}
