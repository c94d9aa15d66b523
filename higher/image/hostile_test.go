package image

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	digest "github.com/opencontainers/go-digest"
	"golang.org/x/sys/unix"
)

// outside is a directory that no layer may touch.
type outside struct {
	t   *testing.T
	dir string
}

func newOutside(t *testing.T) *outside {
	o := &outside{t, t.TempDir()}
	must(os.WriteFile(filepath.Join(o.dir, "secret"), []byte("secret"), 0o600))
	return o
}

func (o *outside) check() {
	o.t.Helper()
	entries, err := os.ReadDir(o.dir)
	if err != nil || len(entries) != 1 || read(o.t, o.dir, "secret") != "secret" {
		o.t.Errorf("a layer reached outside: %v, %v", entries, err)
	}
	var st unix.Stat_t
	for name, mode := range map[string]uint32{"": 0o755, "secret": 0o600} {
		must(unix.Stat(filepath.Join(o.dir, name), &st))
		if st.Uid != 0 || st.Mode&0o7777 != mode {
			o.t.Errorf("a layer changed %q: uid %d, mode %o", name, st.Uid, st.Mode)
		}
	}
}

// TestHostileLayers unpacks what is made to reach out of the root file system. Each layer may be refused or made harmless.
func TestHostileLayers(t *testing.T) {
	o := newOutside(t)
	up := strings.Repeat("../", 20) + o.dir[1:]
	for name, layers := range map[string][][]file{
		"parent directories":          {{{name: up + "/evil", body: "x"}}},
		"absolute path":               {{{name: o.dir + "/evil", body: "x"}}},
		"directory above":             {{{name: up, typ: tar.TypeDir, mode: 0o777, uid: 5}}},
		"link then file in it":        {{{name: "l", typ: tar.TypeSymlink, link: o.dir}, {name: "l/evil", body: "x"}}},
		"relative link then file":     {{{name: "l", typ: tar.TypeSymlink, link: up}, {name: "l/evil", body: "x"}}},
		"link in a layer below":       {{{name: "l", typ: tar.TypeSymlink, link: o.dir}}, {{name: "l/evil", body: "x"}}},
		"link to a link":              {{{name: "a", typ: tar.TypeSymlink, link: o.dir}, {name: "b", typ: tar.TypeSymlink, link: "a"}, {name: "b/evil", body: "x"}}},
		"link replaced by directory":  {{{name: "l", typ: tar.TypeSymlink, link: o.dir}, {name: "l", typ: tar.TypeDir, mode: 0o777}, {name: "l/evil", body: "x"}}},
		"directory becomes link":      {{{name: "d/", typ: tar.TypeDir, mode: 0o777, uid: 5}, {name: "d", typ: tar.TypeSymlink, link: o.dir}}},
		"file through a link":         {{{name: "l", typ: tar.TypeSymlink, link: o.dir + "/secret"}, {name: "l", body: "x"}}},
		"hard link out":               {{{name: "h", typ: tar.TypeLink, link: up + "/secret"}, {name: "h", body: "x"}}},
		"absolute hard link":          {{{name: "h", typ: tar.TypeLink, link: o.dir + "/secret"}}},
		"hard link through a link":    {{{name: "l", typ: tar.TypeSymlink, link: o.dir}, {name: "h", typ: tar.TypeLink, link: "l/secret"}}},
		"hard link to a link":         {{{name: "l", typ: tar.TypeSymlink, link: o.dir + "/secret"}, {name: "h", typ: tar.TypeLink, link: "l", mode: 0o777, uid: 5}, {name: "h", typ: tar.TypeLink, link: "l", mode: 0o777}}},
		"whiteout outside":            {{{name: up + "/.wh.secret"}}},
		"whiteout through a link":     {{{name: "l", typ: tar.TypeSymlink, link: o.dir}, {name: "l/.wh.secret"}}},
		"whiteout of the parent":      {{{name: ".wh..."}}, {{name: ".wh.."}}, {{name: "a/.wh..", body: ""}}},
		"opaque through a link":       {{{name: "l", typ: tar.TypeSymlink, link: o.dir}, {name: "l/.wh..wh..opq"}}},
		"opaque of the root":          {{{name: ".wh..wh..opq"}}},
		"whiteout of a directory":     {{{name: "a/b", body: "x"}}, {{name: ".wh.a"}}},
		"empty names":                 {{{name: "", body: "x"}}, {{name: ".", typ: tar.TypeDir}}, {{name: "/", typ: tar.TypeDir}}, {{name: "..", typ: tar.TypeDir, mode: 0o777, uid: 5}}},
		"attributes through a link":   {{{name: "l", typ: tar.TypeSymlink, link: o.dir + "/secret", mode: 0o777, uid: 5, xattrs: map[string]string{"user.x": "y"}}}},
		"device node and its content": {{{name: "null", typ: tar.TypeChar, mode: 0o666}, {name: "null", body: "x"}}},
	} {
		t.Run(name, func(t *testing.T) {
			for _, driver := range []string{"overlayfs", "native"} {
				w := open(t, Options{Snapshotter: driver})
				i := &testImage{names: []string{"evil:1"}}
				for _, l := range layers {
					i.layers = append(i.layers, tarOf(l...))
				}
				_, err := w.load(saved(i))
				if err != nil {
					t.Log(driver, err)
				} else {
					w.container("c", "evil:1")
				}
				o.t = t
				o.check()
				must(w.Close())
				w.Manager = nil
			}
		})
	}
}

func TestSetuidAndDevices(t *testing.T) {
	w := open(t, Options{})
	w.mustLoad(&testImage{names: []string{"a:1"}, layers: [][]byte{tarOf(
		file{name: "su", body: "x", mode: 0o4755, uid: 3}, file{name: "zero", typ: tar.TypeChar, mode: 0o666}, file{name: "pipe", typ: tar.TypeFifo, mode: 0o600},
	)}})
	w.container("c", "a:1")
	dir := w.mounted("c")
	var st unix.Stat_t
	must(unix.Lstat(filepath.Join(dir, "su"), &st))
	if st.Mode&0o7777 != 0o4755 || st.Uid != 3 {
		t.Errorf("su has %o, %d", st.Mode, st.Uid)
	}
	must(unix.Lstat(filepath.Join(dir, "pipe"), &st))
	if st.Mode&unix.S_IFMT != unix.S_IFIFO {
		t.Errorf("pipe has %o", st.Mode)
	}
}

// TestOverlayAttributes holds that a layer cannot tell the overlay what only whiteouts may.
func TestOverlayAttributes(t *testing.T) {
	w := open(t, Options{})
	w.mustLoad(&testImage{names: []string{"a:1"}, layers: [][]byte{
		tarOf(file{name: "d/", typ: tar.TypeDir}, file{name: "d/below", body: "x"}, file{name: "etc/", typ: tar.TypeDir}),
		tarOf(file{name: "d/", typ: tar.TypeDir, xattrs: map[string]string{
			"trusted.overlay.opaque": "y", "trusted.overlay.redirect": "/etc", "user.overlay.opaque": "y", "user.kept": "1",
		}}, file{name: "f", body: "x", xattrs: map[string]string{"trusted.overlay.metacopy": "", "trusted.overlay.redirect": "/etc/shadow"}}),
	}})
	w.container("c", "a:1")
	dir := w.mounted("c")
	if read(t, dir, "d/below") != "x" || read(t, dir, "f") != "x" {
		t.Error("an attribute of a layer has told the overlay something")
	}
	value := make([]byte, 8)
	if n, err := unix.Getxattr(filepath.Join(dir, "d"), "user.kept", value); err != nil || string(value[:n]) != "1" {
		t.Errorf("an ordinary attribute was lost: %v", err)
	}
}

func TestHugeSizes(t *testing.T) {
	w := open(t, Options{})
	before := disk(t, w.options.Root)
	var b bytes.Buffer
	tw := tar.NewWriter(&b)
	must(tw.WriteHeader(&tar.Header{Name: "huge", Size: 1 << 60, Mode: 0o644, Typeflag: tar.TypeReg}))
	_, err := tw.Write([]byte("not as much"))
	must(err)
	_, err = w.load(saved(&testImage{names: []string{"huge:1"}, layers: [][]byte{b.Bytes()}}))
	if err == nil {
		t.Fatal("loaded")
	}
	if !strings.Contains(err.Error(), "unexpected EOF") {
		t.Errorf("got %v", err)
	}
	if _, err := w.Resolve(context.Background(), "huge:1", nil); err == nil {
		t.Error("a half image is there")
	}
	w.collect(w.in(context.Background()))
	if after := disk(t, w.options.Root); after > before+64<<10 {
		t.Errorf("%d bytes before, %d after", before, after)
	}
}

// disk is how much lies in blobs and layers.
func disk(t *testing.T, root string) (sum int64) {
	for _, dir := range []string{"content", "snapshots"} {
		err := filepath.WalkDir(filepath.Join(root, dir), func(name string, d os.DirEntry, err error) error {
			if err != nil || d.Name() == "metadata.db" {
				return err
			}
			info, err := d.Info()
			if err == nil {
				sum += info.Size()
			}
			return err
		})
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
	}
	return sum
}

func TestWrongDigests(t *testing.T) {
	w := open(t, Options{})
	i := two()
	archive := saved(i)
	changed := bytes.Replace(archive, []byte("step 0"), []byte("step X"), 1) // the config, whose digest is only its name
	if _, err := w.load(changed); err != nil {
		t.Errorf("an archive of docker save names files as it likes: %v", err)
	}
	lie := two()
	lie.diffs = []digest.Digest{digestBytes(lie.layers[0]), digestBytes(tarOf(file{name: "other"}))}
	if _, err := open(t, Options{}).load(saved(lie)); err == nil || !strings.Contains(err.Error(), "wrong diff id") {
		t.Errorf("got %v", err)
	}
	layout := tarOf(file{name: "oci-layout", body: `{"imageLayoutVersion":"1.0.0"}`}, file{name: "blobs/sha256/" + strings.Repeat("a", 64), body: "x"}, file{name: "index.json", body: "{}"})
	if _, err := open(t, Options{}).load(layout); err == nil || !strings.Contains(err.Error(), "unexpected commit digest") {
		t.Errorf("got %v", err)
	}
}
