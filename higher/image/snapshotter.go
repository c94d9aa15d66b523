package image

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/containerd/containerd/v2/core/snapshots"
	"github.com/containerd/containerd/v2/core/snapshots/storage"
	"github.com/containerd/containerd/v2/plugins/snapshots/native"
	"github.com/containerd/containerd/v2/plugins/snapshots/overlay"
	"github.com/containerd/containerd/v2/plugins/snapshots/overlay/overlayutils"
	"github.com/containerd/errdefs"
)

// The snapshotters, by the names that Docker has for them with its containerd store.
const (
	driverOverlay = "overlayfs"
	driverNative  = "native"
)

// Driver is the name of the snapshotter, as `docker info` tells the storage driver.
func (m *Manager) Driver() string { return m.driver }

// openSnapshotter opens the snapshotter that was asked for below root.
func openSnapshotter(root, name string) (driver string, s snapshots.Snapshotter, err error) {
	dir := filepath.Join(root, "snapshots")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", nil, err
	}
	switch name {
	case "":
		driver = driverOverlay
		if err := overlayutils.Supported(dir); err != nil {
			driver = driverNative
		}
	case driverOverlay, "overlay2":
		driver = driverOverlay
		if err := overlayutils.Supported(dir); err != nil {
			return "", nil, fmt.Errorf("the storage driver %s does not work on %s: %w", name, dir, err)
		}
	case driverNative:
		driver = driverNative
	default:
		return "", nil, fmt.Errorf("unknown storage driver %q (there are overlayfs, overlay2 and native)", name)
	}
	dir = filepath.Join(dir, driver)
	if err := clearSnapshots(dir); err != nil {
		return "", nil, fmt.Errorf("cannot clear %s: %w", dir, err)
	}
	if driver == driverOverlay {
		s, err = overlay.NewSnapshotter(dir, overlay.AsynchronousRemove, overlay.WithRemapIDs, overlay.WithMountOptions(plainOverlay()))
	} else {
		s, err = native.NewSnapshotter(dir)
	}
	return driver, s, err
}

// plainOverlay switches off what a kernel may have on by default and what would make an upper directory mean something
// else than its files: directories that point elsewhere, and files without their content.
func plainOverlay() (options []string) {
	for _, name := range []string{"redirect_dir", "metacopy"} {
		value, err := os.ReadFile("/sys/module/overlay/parameters/" + name)
		if err == nil && strings.HasPrefix(string(value), "Y") {
			options = append(options, name+"=off")
		}
	}
	return options
}

// clearSnapshots removes the directories that a snapshotter's database does not know: a process that was killed had made
// them, and its next one would stumble over them, as their numbers are given again.
func clearSnapshots(dir string) (err error) {
	entries, err := os.ReadDir(filepath.Join(dir, "snapshots"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	store, err := storage.NewMetaStore(filepath.Join(dir, "metadata.db"))
	if err != nil {
		return err
	}
	defer func() {
		if e := store.Close(); err == nil {
			err = e
		}
	}()
	var known map[string]string
	err = store.WithTransaction(context.Background(), false, func(ctx context.Context) error {
		known, err = storage.IDMap(ctx)
		return err
	})
	if err != nil && !errdefs.IsNotFound(err) { // there has never been one
		return err
	}
	for _, e := range entries {
		if _, ok := known[e.Name()]; ok {
			continue
		}
		if err := os.RemoveAll(filepath.Join(dir, "snapshots", e.Name())); err != nil {
			return err
		}
	}
	return nil
}
