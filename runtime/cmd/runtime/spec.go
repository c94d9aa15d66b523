package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/dhow-containers/dhow/runtime/cmd/runtime/internal/flags"
	"github.com/dhow-containers/dhow/spec"
)

type specCommand struct {
	bundle   string
	rootless bool
}

func specVerb() *verb {
	return &verb{
		name:    "spec",
		summary: "write a config.json to begin with",
		about: `Writes a config.json into the bundle that runs sh with a terminal in the root file system rootfs/.
Change its process.args to run something else. A config.json that is there already is left alone.`,
		new: func() command { return &specCommand{} },
	}
}

func (c *specCommand) flags() []flags.Flag {
	return []flags.Flag{
		bundleFlag(&c.bundle),
		{Name: "rootless", Value: &c.rootless, Help: "write one that the calling user can run without being root"},
	}
}

func (c *specCommand) run(a *app, _ []string) (int, error) {
	s := spec.Default()
	if c.rootless {
		spec.ToRootless(s, uint32(os.Geteuid()), uint32(os.Getegid()))
	}
	return 0, writeConfig(filepath.Join(c.bundle, "config.json"), s)
}

func writeConfig(path string, config any) (err error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if errors.Is(err, os.ErrExist) {
		return fmt.Errorf("cannot write %s: it exists, remove it first", path)
	}
	if err != nil {
		return fmt.Errorf("cannot write config.json: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if err := writeJSON(f, config, "\t"); err != nil {
		return fmt.Errorf("cannot write %s: %w", path, err)
	}
	return nil
}
