package container

import (
	"github.com/dhow-containers/dhow/higher/config"
	"github.com/dhow-containers/dhow/higher/container/oci"
)

// changeable is what can change of Options while the daemon runs.
type changeable struct {
	defaults *oci.Defaults // of containers that are created
	restore  bool          // LiveRestore
}

// Reload goes on with other runtimes, and another fate of the containers at the daemon's end.
func (m *Manager) Reload(runtime string, runtimes map[string]config.Runtime, liveRestore bool) {
	d := *m.Defaults
	d.Runtime, d.Runtimes = runtime, runtimes
	m.now.Store(&changeable{&d, liveRestore})
}
