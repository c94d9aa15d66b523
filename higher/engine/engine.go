package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/dhow-containers/dhow/higher/api"
	"github.com/dhow-containers/dhow/higher/config"
	"github.com/dhow-containers/dhow/higher/container"
	"github.com/dhow-containers/dhow/higher/container/oci"
	"github.com/dhow-containers/dhow/higher/events"
	"github.com/dhow-containers/dhow/higher/image"
	"github.com/dhow-containers/dhow/higher/network"
	"github.com/dhow-containers/dhow/higher/release"
	"github.com/dhow-containers/dhow/higher/userns"
	"github.com/dhow-containers/dhow/higher/volume"
)

// CloseLimit is how long Close may take to stop containers.
const CloseLimit = 30 * time.Second

// Engine is the whole.
type Engine struct {
	containers
	images
	networks
	volumes

	current  atomic.Pointer[config.Config]
	ids      *userns.Map // of containers, with --userns-remap
	defaults *oci.Defaults
	build    release.Info
	id       string
	host     host
	db       *bolt.DB
	bus      *events.Bus
	log      *slog.Logger
}

// The managers under names that tell them apart.
type (
	containers struct{ *container.Manager }
	images     struct{ *image.Manager }
	networks   struct{ *network.Manager }
	volumes    struct{ *volume.Manager }
)

var _ api.Backend = (*Engine)(nil)

// Open opens the managers, and takes over the containers of a daemon before this one. One process at a time may do so
// with the same directories.
func Open(ctx context.Context, c *config.Config, b release.Info, log *slog.Logger) (*Engine, error) {
	c, defaults, err := settle(c)
	if err != nil {
		return nil, err
	}
	e := &Engine{ids: defaults.IDs, defaults: defaults, build: b, host: lookAtHost(), bus: &events.Bus{}, log: log}
	e.current.Store(c)
	if err := e.open(ctx); err != nil {
		return nil, errors.Join(err, e.release())
	}
	if err := e.containers.Restore(ctx); err != nil {
		return nil, errors.Join(err, e.Close(ctx))
	}
	return e, nil
}

func (e *Engine) open(ctx context.Context) (err error) {
	if err := e.directories(); err != nil {
		return err
	}
	if e.id, err = identity(filepath.Join(e.config().DataRoot, "engine-id")); err != nil {
		return err
	}
	if e.db, err = openDatabase(filepath.Join(e.config().DataRoot, "dhow.db")); err != nil {
		return err
	}
	for _, open := range []func(context.Context) error{e.openImages, e.openVolumes, e.openNetworks, e.openContainers} {
		if err := open(ctx); err != nil {
			return err
		}
	}
	return nil
}

// directories makes the roots. Others may pass through the data root to what containers own, and read nothing.
func (e *Engine) directories() error {
	for _, d := range []struct {
		path, flag string
		mode       os.FileMode
	}{{e.config().DataRoot, "--data-root", 0o711}, {e.config().ExecRoot, "--exec-root", 0o711}} {
		if !filepath.IsAbs(d.path) {
			return fmt.Errorf("cannot use %s (%s): it must be an absolute path", d.path, d.flag)
		}
		if err := os.MkdirAll(d.path, d.mode); err != nil {
			return fmt.Errorf("cannot make %s (%s): %w", d.path, d.flag, err)
		}
	}
	return nil
}

// openDatabase opens what the managers share. The lists of free pages are not written but found again at the next
// start, which halves the cost of a write.
func openDatabase(path string) (*bolt.DB, error) {
	o := *bolt.DefaultOptions
	o.Timeout, o.NoFreelistSync, o.FreelistType = time.Second, true, bolt.FreelistMapType
	db, err := bolt.Open(path, 0o600, &o)
	if err != nil {
		return nil, fmt.Errorf("cannot open the database %s: %w", path, err)
	}
	return db, nil
}

// shimProgram runs containers.
const shimProgram = "containerd-shim-dhow-v2"

// companion finds a program that belongs to this one: beside it, else in $PATH.
func companion(name string) (string, error) {
	if self, err := os.Executable(); err == nil {
		beside := filepath.Join(filepath.Dir(self), name)
		if _, err := os.Stat(beside); err == nil {
			return beside, nil
		}
	}
	return exec.LookPath(name)
}

// Close ends the engine; what becomes of the containers is up to --live-restore.
func (e *Engine) Close(ctx context.Context) error {
	var err error
	if e.containers.Manager != nil {
		err = e.containers.Close(ctx)
	}
	return errors.Join(err, e.release())
}

// release closes what there is but the containers.
func (e *Engine) release() error {
	var all []error
	if e.networks.Manager != nil {
		all = append(all, e.networks.Close())
	}
	if e.images.Manager != nil {
		all = append(all, e.images.Close())
	}
	if e.db != nil {
		all = append(all, e.db.Close())
	}
	return errors.Join(all...)
}
