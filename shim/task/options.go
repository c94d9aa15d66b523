package task

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/dhow-containers/dhow/runtime/container"
	"github.com/dhow-containers/dhow/shim/api"
	"github.com/dhow-containers/dhow/shim/wire"
)

// stateRoot is where containers' states are kept, below it a directory for each namespace.
const stateRoot = "/run/containerd/dhow"

// optionsFile keeps the options in the bundle for `delete`, which has nothing else to go by. It is missing when there
// are none.
const optionsFile = "options"

// check refuses what this shim cannot do.
func check(o *api.Options) error {
	if name := filepath.Base(o.BinaryName); o.BinaryName != "" && name != "runtime" && name != "dhow" {
		return fmt.Errorf("cannot use the runtime %q (BinaryName): this shim has its runtime built in", o.BinaryName)
	}
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

// storeFor is the runtime with these options.
func storeFor(o *api.Options, namespace string, log *slog.Logger) *container.Store {
	root := o.Root
	if root == "" {
		root = stateRoot
	}
	return &container.Store{Root: filepath.Join(root, namespace), SystemdCgroup: o.SystemdCgroup, Rootless: "auto", Log: log}
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
