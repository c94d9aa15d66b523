package task

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/dhow-containers/dhow/shim/api"
	"github.com/dhow-containers/dhow/shim/wire"
)

// optionsFile keeps the options in the bundle for `delete`, which has nothing else to go by. It is missing when there
// are none.
const optionsFile = "options"

// check refuses what this shim cannot do.
func check(o *api.Options) error {
	for name, path := range map[string]string{"CriuPath": o.CriuPath, "CriuImagePath": o.CriuImagePath, "CriuWorkPath": o.CriuWorkPath} {
		if path != "" && !filepath.IsAbs(path) {
			return fmt.Errorf("cannot use %s %q: the path must be absolute", name, path)
		}
	}
	if v := o.TaskAPIVersion; v != 0 && v != 2 && v != 3 {
		return fmt.Errorf("cannot use TaskApiVersion %d: this shim has versions 2 and 3 of the task service", v)
	}
	return nil
}

// SaveOptions writes them into a bundle.
func SaveOptions(bundle string, o *api.Options) error {
	data := wire.Marshal(o)
	if len(data) == 0 {
		return nil
	}
	return os.WriteFile(filepath.Join(bundle, optionsFile), data, 0o600)
}

func readOptions(bundle string) (*api.Options, error) {
	o := &api.Options{}
	data, err := os.ReadFile(filepath.Join(bundle, optionsFile))
	if errors.Is(err, fs.ErrNotExist) {
		return o, nil
	}
	if err == nil {
		err = wire.Unmarshal(data, o)
	}
	return o, err
}
