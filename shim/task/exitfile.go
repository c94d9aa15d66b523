package task

import (
	"os"
	"path/filepath"

	"github.com/dhow-containers/dhow/shim/api"
	"github.com/dhow-containers/dhow/shim/command"
	"github.com/dhow-containers/dhow/shim/wire"
)

// exitFile keeps in the bundle how the init ended, in case that `delete` is to tell it, because the shim is gone.
const exitFile = "exit"

// Files are those that this package keeps in a bundle, beside the root file system.
var Files = []string{optionsFile, pidFile, exitFile, command.GroupsFile}

const pidFile = "init.pid"

func writeExit(bundle string, exit api.Exit) error {
	return os.WriteFile(filepath.Join(bundle, exitFile), wire.Marshal(&api.WaitResponse{Exit: exit}), 0o600)
}

// readExit returns how the init ended, if it is known.
func readExit(bundle string) (exit api.Exit, ok bool) {
	data, err := os.ReadFile(filepath.Join(bundle, exitFile))
	if err != nil {
		return exit, false
	}
	err = wire.Unmarshal(data, &exit)
	return exit, err == nil && exit.At.Unix() > 0
}
