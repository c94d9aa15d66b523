package image

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/containerd/containerd/v2/core/mount"
	"github.com/containerd/platforms"
	"github.com/dhow-containers/dhow/higher/api"
	"github.com/klauspost/compress/gzip"
	"github.com/moby/moby/api/types/events"
	"github.com/moby/moby/api/types/jsonstream"
	digest "github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// world is a Manager in a directory of its own.
type world struct {
	*Manager
	t      testing.TB
	mu     sync.Mutex
	events []string
	inUse  map[string][]string
	runs   map[string]bool
}

func open(t testing.TB, o Options) *world {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("layers are unpacked as root")
	}
	w := &world{t: t, inUse: map[string][]string{}, runs: map[string]bool{}}
	if o.Root == "" {
		o.Root = t.TempDir()
	}
	o.Events = func(typ events.Type, a events.Action, id string, attributes map[string]string) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.events = append(w.events, string(a)+" "+attributes["name"])
	}
	o.InUse = func() map[string][]string { return w.inUse }
	o.Running = func(id string) bool { return w.runs[id] }
	m, err := Open(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	w.Manager = m
	t.Cleanup(func() {
		if w.Manager != nil {
			_ = w.Close()
		}
	})
	return w
}

// reopen is what a restart of the daemon does.
func (w *world) reopen() {
	w.t.Helper()
	o := w.options
	if err := w.Close(); err != nil {
		w.t.Fatal(err)
	}
	m, err := Open(context.Background(), o)
	if err != nil {
		w.t.Fatal(err)
	}
	w.Manager = m
}

// file is an entry of a layer.
type file struct {
	name, body string
	typ        byte // '0' if 0
	link       string
	mode       int64
	uid        int
	xattrs     map[string]string
}

func tarOf(files ...file) []byte {
	var b bytes.Buffer
	tw := tar.NewWriter(&b)
	for _, f := range files {
		h := &tar.Header{Name: f.name, Typeflag: f.typ, Linkname: f.link, Mode: f.mode, Uid: f.uid, Size: int64(len(f.body)), ModTime: time.Unix(1e9, 0)}
		if h.Typeflag == 0 {
			h.Typeflag = tar.TypeReg
		}
		if h.Mode == 0 {
			h.Mode = 0o644
			if h.Typeflag == tar.TypeDir {
				h.Mode = 0o755
			}
		}
		for k, v := range f.xattrs {
			if h.PAXRecords == nil {
				h.PAXRecords = map[string]string{}
			}
			h.PAXRecords["SCHILY.xattr."+k] = v
		}
		must(tw.WriteHeader(h))
		_, err := io.WriteString(tw, f.body)
		must(err)
	}
	must(tw.Close())
	return b.Bytes()
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func gzipped(b []byte) []byte {
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	_, err := z.Write(b)
	must(err)
	must(z.Close())
	return out.Bytes()
}

// testImage is an image to be put into an archive.
type testImage struct {
	names  []string
	layers [][]byte // without compression
	labels map[string]string
	made   time.Time
	arch   string
	diffs  []digest.Digest // if they are not those of layers
}

func (i *testImage) config() []byte {
	if i.arch == "" {
		i.arch = platforms.DefaultSpec().Architecture
	}
	diffs := []digest.Digest{}
	history := []ocispec.History{}
	for n, l := range i.layers {
		diffs = append(diffs, digest.FromBytes(l))
		history = append(history, ocispec.History{Created: &i.made, CreatedBy: fmt.Sprintf("step %d", n)})
	}
	if i.diffs != nil {
		diffs = i.diffs
	}
	raw, err := json.Marshal(map[string]any{
		"created": i.made, "architecture": i.arch, "os": "linux",
		"config": map[string]any{"Cmd": []string{"/bin/true"}, "Labels": i.labels},
		"rootfs": map[string]any{"type": "layers", "diff_ids": diffs}, "history": history,
	})
	must(err)
	return raw
}

// saved is an archive as `docker save` made them before 25.
func saved(images ...*testImage) []byte {
	var files []file
	var docs []dockerManifest
	for _, i := range images {
		config := i.config()
		doc := dockerManifest{Config: digest.FromBytes(config).Encoded() + ".json", RepoTags: i.names}
		files = append(files, file{name: doc.Config, body: string(config)})
		for _, l := range i.layers {
			name := digest.FromBytes(l).Encoded() + "/layer.tar"
			files = append(files, file{name: digest.FromBytes(l).Encoded() + "/", typ: tar.TypeDir}, file{name: name, body: string(l)})
			doc.Layers = append(doc.Layers, name)
		}
		docs = append(docs, doc)
	}
	raw, err := json.Marshal(docs)
	must(err)
	return tarOf(append(files, file{name: "manifest.json", body: string(raw)})...)
}

func (w *world) load(archive []byte) (lines []string, err error) {
	w.t.Helper()
	err = w.ImageLoad(context.Background(), bytes.NewReader(archive), nil, collect(&lines))
	return lines, err
}

func (w *world) mustLoad(images ...*testImage) {
	w.t.Helper()
	if _, err := w.load(saved(images...)); err != nil {
		w.t.Fatal(err)
	}
}

// collect keeps what a client is told, but for how far something is.
func collect(lines *[]string) api.Progress {
	return func(m jsonstream.Message) {
		if m.Progress != nil && m.Progress.Total > 0 {
			return
		}
		text := m.Stream + m.Status
		if m.ID != "" {
			text = m.ID + ": " + text
		}
		*lines = append(*lines, strings.TrimSpace(text))
	}
}

// mounted mounts a container's root file system.
func (w *world) mounted(container string) string {
	w.t.Helper()
	list, err := w.Mounts(context.Background(), container)
	if err != nil {
		w.t.Fatal(err)
	}
	dir := w.t.TempDir()
	for _, m := range list {
		one := mount.Mount{Type: m.Type, Source: m.Source, Options: m.Options}
		if err := one.Mount(dir); err != nil {
			w.t.Fatal(err)
		}
	}
	w.t.Cleanup(func() { _ = mount.UnmountAll(dir, 0) })
	return dir
}

// container makes a container of an image.
func (w *world) container(id, image string) {
	w.t.Helper()
	img, err := w.Resolve(context.Background(), image, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	if err := w.Prepare(context.Background(), id, img, false); err != nil {
		w.t.Fatal(err)
	}
}

func read(t testing.TB, name ...string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(name...))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func two() *testImage {
	return &testImage{names: []string{"two:1"}, made: time.Unix(1.5e9, 0).UTC(), labels: map[string]string{"a": "b"}, layers: [][]byte{
		tarOf(file{name: "etc/", typ: tar.TypeDir, mode: 0o700, uid: 7}, file{name: "etc/a", body: "a"}, file{name: "gone", body: "x"}),
		tarOf(file{name: "etc/b", body: "b"}, file{name: ".wh.gone"}),
	}}
}

func TestLoadAndRun(t *testing.T) {
	for _, driver := range []string{"overlayfs", "native"} {
		t.Run(driver, func(t *testing.T) {
			w := open(t, Options{Snapshotter: driver})
			lines, err := w.load(gzipped(saved(two())))
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(lines, "|"); !strings.HasSuffix(got, "Loaded image: two:1") {
				t.Errorf("told %q", got)
			}
			w.container("c1", "two:1")
			w.container("c1", "two:1") // again: nothing
			dir := w.mounted("c1")
			if read(t, dir, "etc/a")+read(t, dir, "etc/b") != "ab" {
				t.Error("wrong files")
			}
			if _, err := os.Stat(filepath.Join(dir, "gone")); err == nil {
				t.Error("a whiteout has no effect")
			}
			st, err := os.Stat(filepath.Join(dir, "etc"))
			if err != nil || st.Mode().Perm() != 0o700 {
				t.Errorf("etc, which the second layer implies, has %v, %v", st.Mode(), err)
			}
		})
	}
}

func TestRelease(t *testing.T) {
	w := open(t, Options{})
	ctx := context.Background()
	w.mustLoad(two())
	w.container("c1", "two:1")
	must(os.WriteFile(filepath.Join(w.mounted("c1"), "big"), make([]byte, 1<<20), 0o600))
	if n, err := w.Usage(ctx, "c1"); err != nil || n < 1<<20 {
		t.Errorf("usage %d, %v", n, err)
	}
	if ids, err := w.Containers(ctx); err != nil || len(ids) != 1 || ids[0] != "c1" {
		t.Errorf("containers %v, %v", ids, err)
	}
	for range 2 {
		if err := w.Release(ctx, "c1"); err != nil {
			t.Fatal(err)
		}
	}
	if ids, err := w.Containers(ctx); err != nil || len(ids) != 0 {
		t.Errorf("containers %v, %v", ids, err)
	}
}

var noList = api.ImageListOptions{}

func digestBytes(b []byte) digest.Digest { return digest.FromBytes(b) }

// pullHello pulls where Docker Hub cannot be reached.
func (w *world) pullHello() ([]string, error) {
	var lines []string
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	err := w.ImagePull(ctx, "hello-world", false, nil, nil, collect(&lines))
	return lines, err
}

var noInspect = api.ImageInspectOptions{}
