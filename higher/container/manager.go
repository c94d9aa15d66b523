package container

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/dhow-containers/dhow/higher/archive"
	shim "github.com/dhow-containers/dhow/shim/api"
	"github.com/moby/moby/api/types/events"
)

// Manager holds the containers.
type Manager struct {
	Options
	now   atomic.Pointer[changeable]
	store *store
	die   func(point string) // where a test has the daemon killed
	root  func(rootfs []*shim.Mount) (*os.File, error)

	mu      sync.RWMutex
	byID    map[string]*container
	byName  map[string]string // ids of names that are taken
	execs   map[string]*exec
	pruning bool
	closing bool
	work    sync.WaitGroup // what Close waits for
	ctx     context.Context
	cancel  context.CancelFunc
}

// Open loads the records.
func Open(_ context.Context, o Options) (*Manager, error) {
	if o.Log == nil {
		o.Log = slog.Default()
	}
	s, err := openStore(o.DB)
	if err != nil {
		return nil, err
	}
	m := &Manager{
		Options: o, store: s, die: failpoint, root: archive.OpenRoot,
		byID: map[string]*container{}, byName: map[string]string{}, execs: map[string]*exec{},
	}
	m.now.Store(&changeable{o.Defaults, o.LiveRestore})
	m.ctx, m.cancel = context.WithCancel(context.Background())
	for _, dir := range []string{o.DataRoot, o.ExecRoot} {
		if err := os.MkdirAll(filepath.Join(dir, "containers"), 0o711); err != nil {
			return nil, fmt.Errorf("cannot make the directory of containers: %w", err)
		}
	}
	records, err := s.load()
	if err != nil {
		return nil, err
	}
	for _, r := range records {
		m.byID[r.ID], m.byName[r.Name] = m.newContainer(r), r.ID
	}
	return m, nil
}

// get looks a container up: by its id, its name, or the beginning of its id.
func (m *Manager) get(name string) (*container, error) {
	c, err := m.find(name)
	if err == nil && c.record().Phase == Creating {
		return nil, noSuchContainer(name)
	}
	return c, err
}

func (m *Manager) find(name string) (*container, error) {
	if name == "" {
		return nil, invalidf("invalid name or ID supplied: %q", name)
	}
	m.mu.RLock()
	defer m.mu.RUnlock()
	if c := m.byID[name]; c != nil {
		return c, nil
	}
	if c := m.byID[m.byName[strings.TrimPrefix(name, "/")]]; c != nil {
		return c, nil
	}
	var found *container
	for id, c := range m.byID {
		if !strings.HasPrefix(id, name) || c.record().Phase == Creating {
			continue
		}
		if found != nil {
			return nil, invalidf("multiple IDs found with provided prefix: %s", name)
		}
		found = c
	}
	if found == nil {
		return nil, noSuchContainer(name)
	}
	return found, nil
}

// all returns the containers that clients see, the newest first.
func (m *Manager) all() []*container {
	m.mu.RLock()
	all := slices.Collect(maps.Values(m.byID))
	m.mu.RUnlock()
	all = slices.DeleteFunc(all, func(c *container) bool { return c.record().Phase == Creating })
	slices.SortFunc(all, func(a, b *container) int {
		ra, rb := a.record(), b.record()
		if order := rb.Created.Compare(ra.Created); order != 0 {
			return order
		}
		return strings.Compare(ra.ID, rb.ID)
	})
	return all
}

// Record returns what is known of a container, by name, id or the beginning of an id. It must not be changed.
func (m *Manager) Record(name string) (*Record, error) {
	c, err := m.get(name)
	if err != nil {
		return nil, err
	}
	return c.record(), nil
}

// Counts says how many containers there are, by state.
func (m *Manager) Counts() (running, paused, stopped int) {
	for _, c := range m.all() {
		switch c.record().Phase {
		case Running:
			running++
		case Paused:
			paused++
		default:
			stopped++
		}
	}
	return running, paused, stopped
}

// ImagesInUse returns the ids of each image's containers, by the image's id.
func (m *Manager) ImagesInUse() map[string][]string {
	use := map[string][]string{}
	m.mu.RLock()
	defer m.mu.RUnlock()
	for id, c := range m.byID {
		r := c.record()
		images := map[string]bool{r.Image.String(): true}
		for i := range r.Mounts {
			if image := r.Mounts[i].ImageID; image != "" {
				images[image] = true
			}
		}
		for image := range images {
			use[image] = append(use[image], id)
		}
	}
	return use
}

// IsRunning says whether the container with an id runs.
func (m *Manager) IsRunning(id string) bool {
	m.mu.RLock()
	defer m.mu.RUnlock()
	c := m.byID[id]
	return c != nil && c.record().Running()
}

// emit tells of something that happened to a container.
func (c *container) emit(action events.Action, more map[string]string) {
	if c.m.Bus == nil {
		return
	}
	r := c.record()
	attributes := maps.Clone(r.Config.Labels)
	if attributes == nil {
		attributes = map[string]string{}
	}
	maps.Copy(attributes, more)
	if r.Config.Image != "" {
		attributes["image"] = r.Config.Image
	}
	attributes["name"] = r.Name
	c.m.Bus.Publish(events.ContainerEventType, action, c.id, attributes)
}

// background runs f beside everything else; Close waits for it.
func (m *Manager) background(f func()) {
	m.work.Add(1)
	go func() {
		defer m.work.Done()
		f()
	}()
}
