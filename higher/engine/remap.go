package engine

import (
	"fmt"
	"path/filepath"

	"github.com/dhow-containers/dhow/higher/config"
	"github.com/dhow-containers/dhow/higher/userns"
)

// remap finds the ids that containers are given, and the data root that goes with them: one of their own, so that nothing
// in it is owned by others, below the one that was given, as with Docker.
func remap(c *config.Config) (*config.Config, *userns.Map, error) {
	ids, err := userns.Find(c.UsernsRemap)
	if err != nil || ids == nil {
		return c, nil, err
	}
	own := *c
	uid, gid := ids.Root()
	own.DataRoot = filepath.Join(c.DataRoot, fmt.Sprintf("%d.%d", uid, gid))
	return &own, ids, nil
}
