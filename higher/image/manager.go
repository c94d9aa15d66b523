package image

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/containerd/v2/core/leases"
	"github.com/containerd/containerd/v2/core/metadata"
	"github.com/containerd/containerd/v2/core/snapshots"
	"github.com/containerd/containerd/v2/pkg/namespaces"
	"github.com/containerd/containerd/v2/plugins/content/local"
	"github.com/containerd/log"
	"github.com/dhow-containers/dhow/higher/api"
	"github.com/dhow-containers/dhow/higher/image/trust"
	"github.com/moby/moby/api/types/events"
	bolt "go.etcd.io/bbolt"
)

var _ api.Images = (*Manager)(nil)

// namespace is the one in which containerd's libraries keep all that is ours.
const namespace = "dhow"

// Manager holds the images.
type Manager struct {
	options  Options
	reached  atomic.Pointer[reach]
	log      *slog.Logger
	bolt     *bolt.DB
	db       *metadata.DB
	content  content.Store
	images   images.Store
	leases   leases.Manager
	driver   string // name of the snapshotter
	backend  snapshots.Snapshotter
	snapshot snapshots.Snapshotter
	keys     keyed // what is being fetched or unpacked
	certs    []string
	sweeper  *sweeper

	names  sync.Mutex // held while names are given and taken away
	prune  sync.Mutex
	active sync.Map // ids of the leases that somebody works with
}

// Open opens the images below Options.Root, and clears what a process that was killed left half-made.
func Open(ctx context.Context, o Options) (*Manager, error) {
	_ = log.SetLevel("fatal") // what goes wrong in the libraries, they return
	m := &Manager{options: o, log: o.Log, certs: trust.Dirs()}
	m.Reload(o.Insecure, o.Mirrors)
	if m.log == nil {
		m.log = slog.Default()
	}
	if err := m.open(ctx); err != nil {
		return nil, fmt.Errorf("cannot open the images: %w", err)
	}
	err := m.recover(m.in(ctx))
	if err != nil && full(err) {
		m.log.Warn("no space to clear up the images in: remove some", "error", err)
		err = nil
	}
	if err != nil {
		_ = m.Close()
		return nil, fmt.Errorf("cannot clear up the images: %w", err)
	}
	return m, nil
}

func (m *Manager) open(ctx context.Context) error {
	if err := os.MkdirAll(m.options.Root, 0o710); err != nil {
		return err
	}
	blobs := filepath.Join(m.options.Root, "content")
	if err := clearIngests(filepath.Join(blobs, "ingest")); err != nil {
		return fmt.Errorf("cannot clear %s: %w", blobs, err)
	}
	store, err := local.NewStore(blobs)
	if err != nil {
		return err
	}
	if m.driver, m.backend, err = openSnapshotter(m.options.Root, m.options.Snapshotter); err != nil {
		return err
	}
	if err := m.checkRemap(); err != nil {
		return errors.Join(err, m.backend.Close())
	}
	m.bolt, err = bolt.Open(filepath.Join(m.options.Root, "image.db"), 0o600, &bolt.Options{
		Timeout: 5 * time.Second, NoFreelistSync: true, FreelistType: bolt.FreelistMapType,
	})
	if err != nil {
		_ = m.backend.Close()
		return fmt.Errorf("image.db: %w", err)
	}
	m.db = metadata.NewDB(m.bolt, store, map[string]snapshots.Snapshotter{m.driver: m.backend}, metadata.WithPolicyIsolated)
	if err := m.db.Init(ctx); err != nil {
		_ = m.backend.Close()
		_ = m.bolt.Close()
		return fmt.Errorf("image.db: %w", err)
	}
	m.content, m.snapshot = m.db.ContentStore(), m.db.Snapshotter(m.driver)
	m.images, m.leases = metadata.NewImageStore(m.db), metadata.NewLeaseManager(m.db)
	m.sweeper = newSweeper(func() { m.collect(m.in(context.Background())) })
	return nil
}

// in is a context for calls of containerd's libraries.
func (m *Manager) in(ctx context.Context) context.Context {
	return namespaces.WithNamespace(ctx, namespace)
}

// collect removes blobs and layers that nothing refers to.
func (m *Manager) collect(ctx context.Context) {
	if _, err := m.db.GarbageCollect(context.WithoutCancel(ctx)); err != nil {
		m.log.Warn("cannot remove what images have left", "error", err)
	}
}

// emit tells of an event of an image.
func (m *Manager) emit(action events.Action, id string, attributes map[string]string) {
	if m.options.Events != nil {
		m.options.Events(events.ImageEventType, action, id, attributes)
	}
}
