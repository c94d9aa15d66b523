package engine

import (
	"github.com/dhow-containers/dhow/higher/config"
	"github.com/dhow-containers/dhow/higher/container/oci"
)

// Check says what of a configuration this host cannot do, before anything is made: users without ids, profiles that are
// not there, control groups of a systemd that is not.
func Check(c *config.Config) error {
	_, _, err := settle(c)
	return err
}

// settle finds out what the host can do, and what that makes of the flags.
func settle(c *config.Config) (*config.Config, *oci.Defaults, error) {
	c, ids, err := remap(c)
	if err != nil {
		return nil, nil, err
	}
	facts, err := oci.ReadFacts()
	if err != nil {
		return nil, nil, err
	}
	defaults, err := oci.FromConfig(c, facts)
	if err != nil {
		return nil, nil, err
	}
	defaults.IDs = ids
	return c, defaults, nil
}
