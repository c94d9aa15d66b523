package volume

import (
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"

	"github.com/moby/moby/api/types/events"
	"github.com/moby/moby/api/types/volume"
	"github.com/moby/sys/mountinfo"
	bolt "go.etcd.io/bbolt"
)

// Options says where a Manager keeps what it knows.
type Options struct {
	DB       *bolt.DB // volumes live in its bucket "volumes"
	Root     string   // the directory of volumes
	DataRoot string   // the engine's directory: mounts in it shall not be held by containers that bind it
	UID, GID int      // owner of new volumes: root, as containers see it
	// Events hears create, destroy, mount, unmount and prune; nil for nobody.
	Events func(action events.Action, name string, attributes map[string]string)
	Log    *slog.Logger // nil for slog.Default
}

// Manager holds the volumes.
type Manager struct {
	options Options
	store   *store
	log     *slog.Logger

	mu      sync.Mutex // of volumes, and of users and active of each
	volumes map[string]*entry
	opened  map[string][]*os.File // directories in volumes that a container is to be given, by container
}

// entry is a volume.
type entry struct {
	record
	users  map[string]bool // ids of containers that have it
	active map[string]bool // of those that run
	gone   bool            // it has been removed, or is being

	disk    sync.Mutex // of what is done to its directory; taken before the manager's mu, never after
	mounted bool       // its device is mounted; under disk
}

// The parts of a volume's directory.
const (
	dataName = "_data"
	copyName = "_copy" // what becomes _data once it is complete
)

func (m *Manager) dir(name string) string  { return filepath.Join(m.options.Root, name) }
func (m *Manager) data(name string) string { return filepath.Join(m.options.Root, name, dataName) }

// Open opens the volumes that there are, and ends what a daemon that was killed had begun.
func Open(o Options) (*Manager, error) {
	m := &Manager{options: o, log: o.Log, volumes: map[string]*entry{}, opened: map[string][]*os.File{}}
	if m.log == nil {
		m.log = slog.Default()
	}
	if err := os.MkdirAll(o.Root, 0o701); err != nil {
		return nil, fmt.Errorf("cannot make the directory of volumes: %w", err)
	}
	var err error
	if m.options.Root, err = filepath.EvalSymlinks(o.Root); err != nil { // as the list of mounts has it
		return nil, fmt.Errorf("cannot find the directory of volumes: %w", err)
	}
	if m.store, err = openStore(o.DB); err != nil {
		return nil, err
	}
	records, err := m.store.all()
	if err != nil {
		return nil, err
	}
	for _, r := range records {
		if err := m.load(r); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// load takes a volume over from an earlier daemon.
func (m *Manager) load(r record) error {
	e := newEntry(r)
	if r.Removed {
		if err := m.erase(e); err != nil {
			m.log.Warn("cannot remove a volume that was being removed", "volume", r.Name, "error", err)
			e.Removed = false
			m.volumes[r.Name] = e
		}
		return nil
	}
	if err := m.makeDirectories(r.Name); err != nil {
		return err
	}
	if err := os.RemoveAll(filepath.Join(m.dir(r.Name), copyName)); err != nil {
		return fmt.Errorf("cannot remove a half-made copy: %w", err)
	}
	if e.device() {
		mounted, err := mountinfo.Mounted(m.data(r.Name))
		if err != nil {
			return fmt.Errorf("cannot tell whether volume %s is mounted: %w", r.Name, err)
		}
		e.mounted = mounted
	}
	m.volumes[r.Name] = e
	return nil
}

func newEntry(r record) *entry {
	return &entry{record: r, users: map[string]bool{}, active: map[string]bool{}}
}

// find finds a volume; m.mu is held.
func (m *Manager) find(name string) (*entry, error) {
	if e := m.volumes[name]; e != nil && !e.gone {
		return e, nil
	}
	return nil, noVolume(name)
}

func (m *Manager) emit(action events.Action, name string, attributes map[string]string) {
	if m.options.Events != nil {
		m.options.Events(action, name, attributes)
	}
}

func driverAttribute() map[string]string { return map[string]string{"driver": driver} }

// driver is the only driver of volumes that there is.
const driver = "local"

// view is the volume as clients see it.
func (m *Manager) view(e *entry) volume.Volume {
	return volume.Volume{
		Name: e.Name, Driver: driver, Scope: "local", Mountpoint: m.data(e.Name), CreatedAt: e.Created,
		Labels: maps.Clone(e.Labels), Options: maps.Clone(e.Options),
	}
}

// Refer tells of a container of before a restart of the daemon: what Use returned for it, and whether it runs.
func (m *Manager) Refer(container string, mounts []Mount, running bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, mount := range mounts {
		if mount.Name == "" {
			continue
		}
		e, err := m.find(mount.Name)
		if err != nil {
			m.log.Warn("a container has a volume that is not there", "container", container, "volume", mount.Name)
			continue
		}
		e.users[container] = true
		if running {
			e.active[container] = true
		}
	}
}

// userList is who uses a volume; m.mu is held.
func (e *entry) userList() []string { return slices.Sorted(maps.Keys(e.users)) }

func mountAttributes(container string, m *Mount) map[string]string {
	return map[string]string{
		"driver": driver, "container": container, "destination": m.Destination,
		"read/write": strconv.FormatBool(m.RW), "propagation": string(m.Propagation),
	}
}
