package image

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/containerd/v2/core/leases"
	"github.com/containerd/containerd/v2/core/metadata"
	"github.com/containerd/containerd/v2/core/snapshots"
	"github.com/containerd/containerd/v2/pkg/namespaces"
	"github.com/containerd/containerd/v2/plugins/content/local"
	"github.com/containerd/errdefs"
	"github.com/containerd/log"
	"github.com/dhow-containers/dhow/higher/api"
	"github.com/moby/moby/api/types/events"
	bolt "go.etcd.io/bbolt"
)

var _ api.Images = (*Manager)(nil)

// namespace is the one in which containerd's libraries keep all that is ours.
const namespace = "dhow"

// Manager holds the images.
type Manager struct {
	options  Options
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
	m := &Manager{options: o, log: o.Log, certs: []string{"/etc/dhow/certs.d", "/etc/docker/certs.d"}}
	if m.log == nil {
		m.log = slog.Default()
	}
	if err := m.open(ctx); err != nil {
		return nil, fmt.Errorf("cannot open the images: %w", err)
	}
	if err := m.recover(ctx); err != nil {
		_ = m.Close()
		return nil, fmt.Errorf("cannot clear up the images: %w", err)
	}
	return m, nil
}

func (m *Manager) open(ctx context.Context) error {
	if err := os.MkdirAll(m.options.Root, 0o710); err != nil {
		return err
	}
	store, err := local.NewStore(filepath.Join(m.options.Root, "content"))
	if err != nil {
		return err
	}
	if m.driver, m.backend, err = openSnapshotter(m.options.Root, m.options.Snapshotter); err != nil {
		return err
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

// recover takes away what was being unpacked when the last process ended, and what nothing holds.
func (m *Manager) recover(ctx context.Context) error {
	ctx = m.in(ctx)
	// A directory that was made for a snapshot which its database does not have is in the way of the next one.
	if c, ok := m.backend.(snapshots.Cleaner); ok {
		if err := c.Cleanup(ctx); err != nil && !errdefs.IsNotFound(err) { // that is of a new database
			return err
		}
	}
	if err := m.soil(ctx); err != nil {
		return err
	}
	list, err := m.snapshots(ctx)
	if err != nil {
		return err
	}
	for _, s := range list {
		if s.Kind == snapshots.KindCommitted || strings.HasPrefix(s.Name, containerKey) {
			continue
		}
		if err := m.snapshot.Remove(ctx, s.Name); err != nil {
			return err
		}
	}
	if err := m.dropLeases(ctx, func(l leases.Lease) bool { return l.Labels[leaseResumable] == "" }); err != nil {
		return err
	}
	m.collect(ctx)
	return nil
}

// soil makes and removes a snapshot and a blob: a collection looks for files that the database does not know only where
// something was removed in the life of the process, and the last one may have been killed between the two.
func (m *Manager) soil(ctx context.Context) error {
	if _, err := m.snapshot.Prepare(ctx, "sweep", ""); err != nil && !errdefs.IsAlreadyExists(err) {
		return err
	}
	if err := m.snapshot.Remove(ctx, "sweep"); err != nil {
		return err
	}
	d, err := m.ingest(ctx, strings.NewReader("sweep"), 0, "")
	if err != nil {
		return err
	}
	return m.content.Delete(ctx, d)
}

// Close ends what goes on in the background, and closes the database.
func (m *Manager) Close() error {
	if m.sweeper != nil {
		m.sweeper.close()
	}
	err := m.db.Close()
	if e := m.backend.Close(); err == nil {
		err = e
	}
	return err
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
