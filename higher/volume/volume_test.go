package volume

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/containerd/errdefs"
	"github.com/dhow-containers/dhow/higher/api"
	types "github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/events"
	"github.com/moby/moby/api/types/mount"
	"github.com/moby/moby/api/types/volume"
	bolt "go.etcd.io/bbolt"
)

// bench is a manager with what it has told.
type bench struct {
	*Manager
	t      *testing.T
	db     *bolt.DB
	dir    string
	events []string
}

func start(t *testing.T) *bench {
	t.Helper()
	b := &bench{t: t, dir: t.TempDir()}
	db, err := bolt.Open(filepath.Join(b.dir, "db"), 0o600, &bolt.Options{NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	b.db = db
	b.restart()
	return b
}

// restart is what a daemon that was killed does next.
func (b *bench) restart() {
	b.t.Helper()
	m, err := Open(Options{
		DB: b.db, Root: filepath.Join(b.dir, "volumes"), DataRoot: b.dir, UID: os.Getuid(), GID: os.Getgid(),
		Events: func(a events.Action, name string, _ map[string]string) {
			b.events = append(b.events, string(a)+" "+name)
		},
	})
	if err != nil {
		b.t.Fatal(err)
	}
	b.Manager = m
}

func (b *bench) create(name string, labels, options map[string]string) *volume.Volume {
	b.t.Helper()
	v, err := b.VolumeCreate(b.t.Context(), &volume.CreateRequest{Name: name, Labels: labels, DriverOpts: options})
	if err != nil {
		b.t.Fatal(err)
	}
	return v
}

func (b *bench) names(f api.Filters) string {
	b.t.Helper()
	l, err := b.VolumeList(b.t.Context(), f)
	if err != nil {
		b.t.Fatal(err)
	}
	var all []string
	for _, v := range l.Volumes {
		all = append(all, v.Name)
	}
	return strings.Join(all, " ")
}

// want checks an error's class and words.
func want(t *testing.T, err error, class func(error) bool, words string) {
	t.Helper()
	if err == nil || !class(err) || !strings.Contains(err.Error(), words) {
		t.Errorf("error %v, want one with %q", err, words)
	}
}

func TestNames(t *testing.T) {
	b := start(t)
	for _, name := range []string{"ab", "a.b-c_D0", "0x"} {
		b.create(name, nil, nil)
	}
	for _, name := range []string{"a", "..", ".a", "-a", "_a", "a/b", "../b", "a b", "ä1", strings.Repeat("a", 256)} {
		_, err := b.VolumeCreate(t.Context(), &volume.CreateRequest{Name: name})
		want(t, err, errdefs.IsInvalidArgument, "create "+name+": ")
	}
	if got := b.names(nil); got != "0x a.b-c_D0 ab" {
		t.Error(got)
	}
}

func TestLife(t *testing.T) {
	b := start(t)
	v := b.create("one", map[string]string{"k": "v"}, nil)
	if st, err := os.Stat(v.Mountpoint); err != nil || st.Mode().Perm() != 0o755 {
		t.Error(st, err)
	}
	if again := b.create("one", map[string]string{"other": ""}, nil); again.Labels["k"] != "v" {
		t.Error("another volume of the name", again)
	}
	if err := os.WriteFile(filepath.Join(v.Mountpoint, "file"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	b.restart()
	got, err := b.VolumeInspect(t.Context(), "one")
	if err != nil || got.Labels["k"] != "v" || got.CreatedAt != v.CreatedAt || got.Scope != "local" || got.Driver != "local" {
		t.Error(got, err)
	}
	if err := b.VolumeRemove(t.Context(), "one", false); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Dir(v.Mountpoint)); !os.IsNotExist(err) {
		t.Error(err)
	}
	want(t, b.VolumeRemove(t.Context(), "one", false), errdefs.IsNotFound, "get one: no such volume")
	if err := b.VolumeRemove(t.Context(), "one", true); err != nil {
		t.Error(err)
	}
	if want := []string{"create one", "destroy one"}; !slices.Equal(b.events, want) {
		t.Error(b.events)
	}
}

func TestDriver(t *testing.T) {
	_, err := start(t).VolumeCreate(t.Context(), &volume.CreateRequest{Name: "ab", Driver: "rex"})
	want(t, err, errdefs.IsNotFound, `create ab: error looking up volume plugin rex: plugin "rex" not found`)
}

func TestOptions(t *testing.T) {
	b := start(t)
	for words, o := range map[string]map[string]string{
		`invalid option: "x"`:                 {"x": "y"},
		`missing required option: "device"`:   {"type": "tmpfs"},
		`missing required option: "type"`:     {"device": "tmpfs"},
		"quota size requested":                {"size": "1m"},
		"invalid size":                        {"size": "many"},
		"port not allowed in CIFS device URL": {"type": "cifs", "device": "//h:1/x"},
	} {
		_, err := b.VolumeCreate(t.Context(), &volume.CreateRequest{Name: "ab", DriverOpts: o})
		want(t, err, errdefs.IsInvalidArgument, words)
	}
	if b.names(nil) != "" {
		t.Error("a volume was made")
	}
}

func TestFilters(t *testing.T) {
	b := start(t)
	b.create("apple", map[string]string{"k": "1"}, nil)
	b.create("grape", map[string]string{"k": "2", "l": ""}, nil)
	b.use("c", &types.HostConfig{Binds: []string{"grape:/g"}}, nil)
	for _, c := range []struct {
		f    api.Filters
		want string
	}{
		{nil, "apple grape"},
		{api.Filters{"name": {"ap"}}, "apple grape"},
		{api.Filters{"name": {"^ap"}}, "apple"},
		{api.Filters{"name": {"("}}, ""},
		{api.Filters{"driver": {"local"}}, "apple grape"},
		{api.Filters{"driver": {"rex"}}, ""},
		{api.Filters{"label": {"k"}}, "apple grape"},
		{api.Filters{"label": {"k=1"}}, "apple"},
		{api.Filters{"label": {"k", "l"}}, "grape"},
		{api.Filters{"dangling": {"true"}}, "apple"},
		{api.Filters{"dangling": {"0"}}, "grape"},
	} {
		if got := b.names(c.f); got != c.want {
			t.Errorf("%v: %q, want %q", c.f, got, c.want)
		}
	}
	for _, f := range []api.Filters{{"x": {"y"}}, {"dangling": {"maybe"}}, {"dangling": {"0", "1"}}, {"label!": {"k"}}} {
		_, err := b.VolumeList(t.Context(), f)
		want(t, err, errdefs.IsInvalidArgument, "invalid filter")
	}
}

// use has a container use volumes.
func (b *bench) use(container string, h *types.HostConfig, declared map[string]struct{}) []Mount {
	b.t.Helper()
	mounts, err := b.Use(context.Background(), container, &types.Config{Volumes: declared}, h, func(string) ([]Mount, error) { return nil, nil })
	if err != nil {
		b.t.Fatal(err)
	}
	return mounts
}

func TestInUse(t *testing.T) {
	b := start(t)
	mounts := b.use("c1", &types.HostConfig{Binds: []string{"v1:/g"}}, nil)
	want(t, b.VolumeRemove(t.Context(), "v1", true), errdefs.IsConflict, "remove v1: volume is in use - [c1]")
	b.restart()
	b.Refer("c1", mounts, false)
	want(t, b.VolumeRemove(t.Context(), "v1", false), errdefs.IsConflict, "remove v1: volume is in use - [c1]")
	if err := b.Drop(t.Context(), "c1", mounts, true); err != nil {
		t.Error(err)
	}
	if err := b.VolumeRemove(t.Context(), "v1", false); err != nil {
		t.Error("a named volume went with its container, or did not go alone:", err)
	}
}

func TestDropAnonymous(t *testing.T) {
	b := start(t)
	declared := map[string]struct{}{"/d": {}}
	first := b.use("c1", &types.HostConfig{Mounts: []mount.Mount{{Type: mount.TypeVolume, Target: "/m"}}}, declared)
	second, err := b.Use(t.Context(), "c2", &types.Config{Volumes: declared}, &types.HostConfig{VolumesFrom: []string{"c1:ro"}},
		func(name string) ([]Mount, error) { return first, nil })
	if err != nil || len(second) != 2 || second[0].Name != first[0].Name || second[0].RW || !second[0].NoCopy {
		t.Fatal(second, err)
	}
	if err := b.Drop(t.Context(), "c1", first, true); err != nil {
		t.Error(err)
	}
	if got := len(strings.Fields(b.names(nil))); got != 2 {
		t.Error(got, "volumes: one that is in use is gone")
	}
	if err := b.Drop(t.Context(), "c2", second, true); err != nil || b.names(nil) != "" {
		t.Error(b.names(nil), err)
	}
}

func TestPrune(t *testing.T) {
	b := start(t)
	b.create("named", map[string]string{"keep": ""}, nil)
	b.create("other", nil, nil)
	b.create("device", nil, map[string]string{"type": "tmpfs", "device": "tmpfs"})
	anonymous := b.create("", nil, nil)
	if err := os.WriteFile(filepath.Join(anonymous.Mountpoint, "f"), make([]byte, 1000), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Link(filepath.Join(anonymous.Mountpoint, "f"), filepath.Join(anonymous.Mountpoint, "g")); err != nil {
		t.Fatal(err)
	}
	r, err := b.VolumePrune(t.Context(), nil)
	if err != nil || !slices.Equal(r.VolumesDeleted, []string{anonymous.Name}) || r.SpaceReclaimed != 1000 {
		t.Error(r, err)
	}
	r, err = b.VolumePrune(t.Context(), api.Filters{"all": {"1"}, "label!": {"keep"}})
	if err != nil || !slices.Equal(r.VolumesDeleted, []string{"other"}) {
		t.Error(r, err)
	}
	for _, f := range []api.Filters{{"all": {"x"}}, {"all": {"1", "0"}}, {"name": {"n"}}} {
		_, err := b.VolumePrune(t.Context(), f)
		want(t, err, errdefs.IsInvalidArgument, "invalid filter")
	}
	if b.names(nil) != "device named" {
		t.Error(b.names(nil))
	}
	u, err := b.DiskUsage(t.Context(), true)
	if err != nil || u.TotalCount != 1 || len(u.Items) != 1 || u.Items[0].UsageData.RefCount != 0 {
		t.Error(u, err)
	}
}

// A daemon that is killed while it removes a volume goes on when it starts again.
func TestKilledInRemove(t *testing.T) {
	b := start(t)
	v := b.create("ab", nil, nil)
	e := b.volumes["ab"]
	e.Removed = true
	if err := b.store.put(e.record); err != nil {
		t.Fatal(err)
	}
	b.restart()
	if _, err := os.Stat(v.Mountpoint); !os.IsNotExist(err) || b.names(nil) != "" {
		t.Error(err, b.names(nil))
	}
	if b.create("ab", nil, nil); b.names(nil) != "ab" {
		t.Error(b.names(nil))
	}
}

// … and one that is killed while it makes one makes it whole.
func TestKilledInCreate(t *testing.T) {
	b := start(t)
	if err := b.store.put(record{Name: "ab"}); err != nil {
		t.Fatal(err)
	}
	b.restart()
	if _, err := os.Stat(b.data("ab")); err != nil {
		t.Error(err)
	}
}
