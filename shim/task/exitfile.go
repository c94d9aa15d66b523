package task

import (
	"os"
	"path/filepath"
	"time"

	"github.com/dhow-containers/dhow/shim/api"
	"github.com/dhow-containers/dhow/shim/wire"
)

// exitFile keeps in the bundle how the init ended, in case that `delete` is to tell it, because the shim is gone.
const exitFile = "exit"

func writeExit(bundle string, exit api.Exit) error {
	return os.WriteFile(filepath.Join(bundle, exitFile), wire.Marshal(&api.WaitResponse{Exit: exit}), 0o600)
}

// readExit returns how the init ended, if it is known.
func readExit(bundle string) (exit api.Exit, ok bool) {
	data, err := os.ReadFile(filepath.Join(bundle, exitFile))
	if err != nil {
		return exit, false
	}
	var seconds, nanos int64
	err = wire.Fields(data, func(number int, v wire.Value) error {
		switch number {
		case 1:
			exit.Status = uint32(v.Uint)
		case 2:
			return wire.Fields(v.Bytes, func(number int, v wire.Value) error {
				switch number {
				case 1:
					seconds = int64(v.Uint)
				case 2:
					nanos = int64(v.Uint)
				}
				return nil
			})
		}
		return nil
	})
	exit.At = time.Unix(seconds, nanos)
	return exit, err == nil && seconds > 0
}
