package container

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/containerd/errdefs"
	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	types "github.com/moby/moby/api/types/container"
	net "github.com/moby/moby/api/types/network"
	digest "github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	specs "github.com/opencontainers/runtime-spec/specs-go"
	bolt "go.etcd.io/bbolt"
	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/higher/config"
	"github.com/dhow-containers/dhow/higher/container/oci"
	"github.com/dhow-containers/dhow/higher/events"
	"github.com/dhow-containers/dhow/higher/image"
	"github.com/dhow-containers/dhow/higher/network"
	"github.com/dhow-containers/dhow/higher/task"
	"github.com/dhow-containers/dhow/higher/volume"
	shim "github.com/dhow-containers/dhow/shim/api"
)

// world is what is there besides the daemon: it goes on when that is killed.
type world struct {
	t    *testing.T
	dir  string
	db   *bolt.DB
	bus  *events.Bus
	opts Options

	mu        sync.Mutex
	snapshots map[string]bool
	lent      map[string]bool
	networks  map[string]bool // containers that hold something
	mounted   map[string]bool // containers whose volumes are mounted
	used      map[string]bool // containers that use volumes
	shims     map[string]*fakeTask
	startErr  error
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, dir: t.TempDir(), bus: &events.Bus{}, snapshots: map[string]bool{}, lent: map[string]bool{}, networks: map[string]bool{},
		mounted: map[string]bool{}, used: map[string]bool{}, shims: map[string]*fakeTask{}}
	db, err := bolt.Open(filepath.Join(w.dir, "db"), 0o600, &bolt.Options{NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	facts, err := oci.ReadFacts()
	if err != nil {
		t.Skipf("cannot read what the host can do: %v", err)
	}
	defaults, err := oci.FromConfig(config.Default(), facts)
	if err != nil {
		t.Fatal(err)
	}
	w.db = db
	w.opts = Options{
		DB: db, DataRoot: filepath.Join(w.dir, "data"), ExecRoot: filepath.Join(w.dir, "run"), Images: fakeImages{w}, Tasks: fakeTasks{w},
		Volumes: fakeVolumes{w}, Networks: fakeNetworks{w}, Bus: w.bus, Defaults: defaults, StopTimeout: 10, LiveRestore: true,
		Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
	}
	return w
}

// daemon starts one.
func (w *world) daemon() *Manager {
	w.t.Helper()
	m := w.open()
	if err := m.Restore(context.Background()); err != nil {
		w.t.Fatal(err)
	}
	return m
}

func (w *world) open() *Manager {
	w.t.Helper()
	m, err := Open(context.Background(), w.opts)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(m.cancel)
	m.root = func([]*shim.Mount) (*os.File, error) { return os.Open(w.dir) }
	return m
}

// create makes a container.
func create(t *testing.T, m *Manager, name string, c types.Config, h types.HostConfig) string {
	t.Helper()
	id, err := tryCreate(m, name, c, h)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func tryCreate(m *Manager, name string, c types.Config, h types.HostConfig) (string, error) {
	if c.Image == "" {
		c.Image = "busybox"
	}
	r, err := m.ContainerCreate(context.Background(), name, &types.CreateRequest{
		Config: &c, HostConfig: &h, NetworkingConfig: &net.NetworkingConfig{},
	}, nil, "1.50")
	return r.ID, err
}

// leftovers are what belongs to no container that runs, or to none at all.
func (w *world) leftovers(m *Manager) (all []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	known := func(id string) bool { c, err := m.get(id); return err == nil && c.id == id }
	for kind, ids := range map[string]map[string]bool{"snapshot": w.snapshots, "lent": w.lent, "volumes": w.used} {
		for id := range ids {
			if !known(id) {
				all = append(all, kind+" of nobody")
			}
		}
	}
	for kind, ids := range map[string]map[string]bool{"network": w.networks, "mounts": w.mounted} {
		for id := range ids {
			if !m.IsRunning(id) {
				all = append(all, kind+" of one that does not run")
			}
		}
	}
	for id := range w.shims {
		if !m.IsRunning(id) {
			all = append(all, "shim of one that does not run")
		}
	}
	return append(all, w.files(m)...)
}

func (w *world) files(m *Manager) (all []string) {
	for _, root := range []string{w.opts.DataRoot, w.opts.ExecRoot} {
		entries, err := os.ReadDir(filepath.Join(root, "containers"))
		if err != nil {
			w.t.Fatal(err)
		}
		for _, e := range entries {
			c, err := m.get(e.Name())
			if err != nil || root == w.opts.ExecRoot && !m.IsRunning(c.id) {
				all = append(all, "directory in "+root)
			}
		}
	}
	slices.Sort(all)
	return all
}

type fakeImages struct{ w *world }

var busybox = &image.Image{
	ID: digest.FromString("busybox"), Name: "busybox", Platform: ocispec.Platform{OS: "linux", Architecture: "amd64"},
	Config: dockerspec.DockerOCIImage{Config: dockerspec.DockerOCIImageConfig{ImageConfig: ocispec.ImageConfig{
		Cmd: []string{"sh"}, Env: []string{"PATH=/bin", "A=image"}, Labels: map[string]string{"from": "image"},
	}}},
}

func (f fakeImages) Resolve(_ context.Context, name string, _ *ocispec.Platform) (*image.Image, error) {
	if name == "busybox" || name == busybox.ID.String() {
		return busybox, nil
	}
	return nil, errdefs.ErrNotFound.WithMessage("No such image: " + name)
}

func (f fakeImages) Prepare(_ context.Context, container string, _ *image.Image, _ bool) error {
	f.w.set(f.w.snapshots, container, true)
	return nil
}
func (f fakeImages) Mounts(context.Context, string) ([]task.Mount, error) { return nil, nil }
func (f fakeImages) Release(_ context.Context, container string) error {
	f.w.set(f.w.snapshots, container, false)
	return nil
}
func (f fakeImages) Lend(_ context.Context, container string, n int, _ *image.Image, _ bool) error {
	f.w.set(f.w.lent, container, true)
	return nil
}
func (f fakeImages) Lent(context.Context, string, int) ([]task.Mount, error) { return nil, nil }
func (f fakeImages) Return(_ context.Context, container string) error {
	f.w.set(f.w.lent, container, false)
	return nil
}
func (f fakeImages) Containers(context.Context) ([]string, error) {
	f.w.mu.Lock()
	defer f.w.mu.Unlock()
	return slices.Collect(maps.Keys(f.w.snapshots)), nil
}
func (f fakeImages) Usage(context.Context, string) (int64, error)           { return 7, nil }
func (f fakeImages) ImageSize(context.Context, *image.Image) (int64, error) { return 1000, nil }
func (f fakeImages) Changes(context.Context, string) ([]types.FilesystemChange, error) {
	return nil, nil
}
func (f fakeImages) Driver() string { return "overlayfs" }

func (w *world) set(in map[string]bool, id string, there bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if there {
		in[id] = true
	} else {
		delete(in, id)
	}
}

type fakeVolumes struct{ w *world }

func (f fakeVolumes) Refer(container string, mounts []volume.Mount, running bool) {
	f.w.set(f.w.used, container, len(mounts) > 0)
}
func (f fakeVolumes) Use(_ context.Context, container string, c *types.Config, h *types.HostConfig, _ func(string) ([]volume.Mount, error)) ([]volume.Mount, error) {
	f.w.set(f.w.used, container, true)
	return []volume.Mount{{Type: "volume", Name: "v", Destination: "/v"}}, nil
}
func (f fakeVolumes) Populate(context.Context, string, []volume.Mount, *os.File) error { return nil }
func (f fakeVolumes) Mount(_ context.Context, container string, mounts []volume.Mount) ([]volume.Mount, error) {
	f.w.set(f.w.mounted, container, true)
	return mounts, nil
}
func (f fakeVolumes) Unmount(_ context.Context, container string, _ []volume.Mount) error {
	f.w.set(f.w.mounted, container, false)
	return nil
}
func (f fakeVolumes) Drop(_ context.Context, container string, _ []volume.Mount, _ bool) error {
	f.w.set(f.w.used, container, false)
	return nil
}

type fakeNetworks struct{ w *world }

func (f fakeNetworks) Check(string, *net.EndpointSettings) error { return nil }
func (f fakeNetworks) Reserve(_ context.Context, c network.Container, name string, _ *net.EndpointSettings) (*network.Endpoint, error) {
	if name == "nosuch" {
		return nil, errdefs.ErrNotFound.WithMessage("network nosuch not found")
	}
	f.w.set(f.w.networks, c.ID, true)
	return &network.Endpoint{}, nil
}
func (f fakeNetworks) Files(context.Context, string) (*network.Files, error) {
	return &network.Files{}, nil
}
func (f fakeNetworks) Attach(context.Context, string, *os.File) error { return nil }
func (f fakeNetworks) Detach(_ context.Context, id string) error {
	f.w.set(f.w.networks, id, false)
	return nil
}
func (f fakeNetworks) Sandbox(string) *network.Sandbox { return nil }
func (f fakeNetworks) Connect(context.Context, network.Container, string, *net.EndpointSettings, *os.File) (*network.Endpoint, error) {
	return nil, errors.ErrUnsupported
}
func (f fakeNetworks) CheckConnect(string, string) error { return nil }
func (f fakeNetworks) Disconnect(context.Context, string, string, *os.File) error {
	return errors.ErrUnsupported
}
func (f fakeNetworks) Rename(string, string) error { return nil }
func (f fakeNetworks) Restore(_ context.Context, running map[string]*os.File) error {
	f.w.mu.Lock()
	defer f.w.mu.Unlock()
	for id := range f.w.networks {
		if _, ok := running[id]; !ok {
			delete(f.w.networks, id)
		}
	}
	return nil
}
func (f fakeNetworks) NetworkInspect(_ context.Context, name, _ string, _ bool) (*net.Inspect, error) {
	return nil, errdefs.ErrNotFound.WithMessage("network " + name + " not found")
}

type fakeTasks struct{ w *world }

// fakeTask is a shim with a container: it is there until it is deleted.
type fakeTask struct {
	w       *world
	id      string
	mu      sync.Mutex
	started bool
	exited  chan struct{}
	exit    task.Exit
	signals []unix.Signal
	stays   bool // it does not end by SIGTERM
	clients int
	paused  bool
}

func (f fakeTasks) Create(_ context.Context, o task.CreateOptions) (Task, error) {
	if err := f.w.startErr; err != nil {
		return nil, err
	}
	t := &fakeTask{w: f.w, id: o.ID, exited: make(chan struct{})}
	f.w.mu.Lock()
	defer f.w.mu.Unlock()
	if f.w.shims[o.ID] != nil {
		return nil, errors.New("there is a shim already")
	}
	f.w.shims[o.ID] = t
	return t, nil
}

func (f fakeTasks) Load(_ context.Context, id, _ string) (Task, error) {
	f.w.mu.Lock()
	defer f.w.mu.Unlock()
	if t := f.w.shims[id]; t != nil {
		return t, nil
	}
	return nil, errdefs.ErrNotFound.WithMessage("no shim")
}

func (f fakeTasks) Clean(_ context.Context, id, _ string) (task.Exit, error) {
	f.w.mu.Lock()
	defer f.w.mu.Unlock()
	if f.w.shims[id] != nil {
		return task.Exit{}, errdefs.ErrFailedPrecondition.WithMessage("the shim is there")
	}
	return task.Exit{Status: 137, At: time.Now()}, nil
}

func (t *fakeTask) Pid() int { return os.Getpid() }
func (t *fakeTask) Start(context.Context) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.started = true
	return nil
}
func (t *fakeTask) Resize(context.Context, uint32, uint32) error { return nil }
func (t *fakeTask) CloseStdin(context.Context) error             { return nil }

// end has the process exit.
func (t *fakeTask) end(status uint32) {
	t.mu.Lock()
	defer t.mu.Unlock()
	select {
	case <-t.exited:
	default:
		t.exit = task.Exit{Status: status, At: time.Now()}
		close(t.exited)
	}
}

func (t *fakeTask) Wait(ctx context.Context) (task.Exit, error) {
	select {
	case <-t.exited:
		return t.exit, nil
	case <-ctx.Done():
		return task.Exit{}, ctx.Err()
	}
}

func (t *fakeTask) Delete(context.Context) (task.Exit, error) {
	t.mu.Lock()
	started := t.started
	t.mu.Unlock()
	select {
	case <-t.exited:
	default:
		if started {
			return task.Exit{}, errdefs.ErrFailedPrecondition.WithMessage("it runs")
		}
	}
	t.w.mu.Lock()
	defer t.w.mu.Unlock()
	delete(t.w.shims, t.id)
	return t.exit, nil
}

func (t *fakeTask) Attach(context.Context, task.AttachOptions, io.ReadWriteCloser) (Attachment, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.clients++
	return fakeAttachment{t}, nil
}

type fakeAttachment struct{ t *fakeTask }

func (a fakeAttachment) Wait(ctx context.Context) (bool, error) {
	_, err := a.t.Wait(ctx)
	return false, err
}

func (t *fakeTask) Kill(_ context.Context, sig unix.Signal, _ bool) error {
	t.mu.Lock()
	t.signals = append(t.signals, sig)
	ends := sig == unix.SIGKILL || sig == unix.SIGTERM && !t.stays
	t.mu.Unlock()
	if ends {
		t.end(128 + uint32(sig))
	}
	return nil
}
func (t *fakeTask) Pause(context.Context) error                         { t.paused = true; return nil }
func (t *fakeTask) Resume(context.Context) error                        { t.paused = false; return nil }
func (t *fakeTask) Update(context.Context, *specs.LinuxResources) error { return nil }
func (t *fakeTask) Pids(context.Context) ([]int, error)                 { return []int{os.Getpid()}, nil }
func (t *fakeTask) Stats(context.Context) (*task.Metrics, error)        { return nil, errors.ErrUnsupported }
func (t *fakeTask) OOM() <-chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}
func (t *fakeTask) Over() bool {
	select {
	case <-t.exited:
		return true
	default:
		return false
	}
}
func (t *fakeTask) Exec(context.Context, task.ExecOptions) (Exec, error) {
	return nil, fmt.Errorf("exec: %w", errors.ErrUnsupported)
}

// shim returns the one of a container.
func (w *world) shim(id string) *fakeTask {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.shims[id]
}

// What the daemon gives.
var (
	_ Images   = (*image.Manager)(nil)
	_ Volumes  = (*volume.Manager)(nil)
	_ Networks = (*network.Manager)(nil)
)
