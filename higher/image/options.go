package image

import (
	"log/slog"

	"github.com/dhow-containers/dhow/higher/userns"
	"github.com/moby/moby/api/types/events"
)

// Options is what a Manager works with.
type Options struct {
	Root        string      // the engine's data directory; image.db, content/ and snapshots/ are made in it
	Snapshotter string      // "" for overlayfs where it works, else native; "overlayfs", "overlay2" (the same) or "native"
	Insecure    []string    // registries without TLS or with any certificate: hosts, host:port, CIDR; 127.0.0.0/8 is always one
	Mirrors     []string    // URLs that stand in for Docker Hub
	IDs         *userns.Map // of containers in user namespaces; nil where there are none
	// Events hears what happens to images; nil for nobody.
	Events func(typ events.Type, action events.Action, id string, attributes map[string]string)
	Log    *slog.Logger // nil for slog.Default
	// InUse tells which containers, running or not, use which image: ids by digest of the image's target.
	InUse func() map[string][]string
	// Running says whether a container runs.
	Running func(container string) bool
}
