package boot

import (
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/shim/task"
	"github.com/dhow-containers/dhow/shim/wire"
)

// Delete removes what is left of a container whose shim is gone, and returns what to print. bundle is the container's.
func (p *Params) Delete(bundle string) ([]byte, error) {
	bundle, err := filepath.Abs(bundle)
	if err != nil {
		return nil, err
	}
	answer, err := task.Clean(p.Namespace, p.ID, bundle)
	if err != nil {
		return nil, err
	}
	removeSocket(bundle)
	return wire.Marshal(answer), nil
}

// removeSocket removes the socket of a shim that was killed.
func removeSocket(bundle string) {
	text, err := os.ReadFile(filepath.Join(bundle, addressFile))
	if err != nil {
		return
	}
	if path := strings.TrimPrefix(string(text), "unix://"); !Served(path) {
		unix.Unlink(path)
	}
}
