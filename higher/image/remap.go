package image

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/dhow-containers/dhow/higher/archive"
	"github.com/dhow-containers/dhow/higher/userns"
	"github.com/dhow-containers/dhow/shim/api"
)

// checkRemap tries whether containers can have the layers of images with their ids mapped: overlays of such mounts are
// there from Linux 5.19 on, and not every file system has them.
func (m *Manager) checkRemap() (err error) {
	ids := m.options.IDs
	if ids == nil {
		return nil
	}
	if m.driver != driverOverlay {
		return fmt.Errorf("user namespaces (--userns-remap) need the storage driver %s; this is %s", driverOverlay, m.driver)
	}
	dir := filepath.Join(m.options.Root, "snapshots", "remap")
	if err := errors.Join(os.RemoveAll(dir), os.Mkdir(dir, 0o700)); err != nil { // of one that was killed
		return err
	}
	defer func() {
		if e := os.RemoveAll(dir); err == nil {
			err = e
		}
	}()
	options := []string{"uidmap=" + userns.Format(ids.UIDs), "gidmap=" + userns.Format(ids.GIDs), "lowerdir=" + dir + "/lower"}
	for _, kind := range []string{"lower", "upper", "work"} {
		if err := os.Mkdir(filepath.Join(dir, kind), 0o700); err != nil {
			return err
		}
		if kind != "lower" {
			options = append(options, kind+"dir="+filepath.Join(dir, kind))
		}
	}
	root, err := archive.OpenRoot([]*api.Mount{{Type: "overlay", Source: "overlay", Options: options}})
	if err != nil {
		return fmt.Errorf("user namespaces (--userns-remap) do not work here; they need Linux 5.19 and a file system with id-mapped mounts: %w", err)
	}
	return root.Close()
}
