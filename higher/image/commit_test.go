package image

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
)

// change does things that overlays have to note in their own way.
func change(t *testing.T, dir string) {
	t.Helper()
	at := func(name string) string { return filepath.Join(dir, name) }
	must(os.WriteFile(at("etc/a"), []byte("changed"), 0o600))
	must(os.Remove(at("etc/b")))
	must(os.RemoveAll(at("dir")))
	must(os.Mkdir(at("dir"), 0o755))
	must(os.WriteFile(at("dir/new"), []byte("new"), 0o644))
	must(os.Link(at("dir/new"), at("dir/same")))
	must(os.Symlink("/nowhere", at("link")))
	must(unix.Mkfifo(at("pipe"), 0o600))
	must(unix.Setxattr(at("dir/new"), "user.x", []byte("y"), 0))
}

func base() *testImage {
	return &testImage{names: []string{"base:1"}, layers: [][]byte{tarOf(
		file{name: "etc/", typ: tar.TypeDir}, file{name: "etc/a", body: "a"}, file{name: "etc/b", body: "b"}, file{name: "etc/c", body: "c"},
		file{name: "dir/", typ: tar.TypeDir}, file{name: "dir/old", body: "old"},
	)}}
}

func TestChangesAndCommit(t *testing.T) {
	for _, driver := range []string{"overlayfs", "native"} {
		t.Run(driver, func(t *testing.T) {
			w := open(t, Options{Snapshotter: driver})
			ctx := context.Background()
			w.mustLoad(base())
			w.container("c", "base:1")
			change(t, w.mounted("c"))
			list, err := w.Changes(ctx, "c")
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, c := range list {
				got = append(got, c.Kind.String()+" "+c.Path)
			}
			slices.Sort(got)
			want := "A /dir/new|A /dir/same|A /link|A /pipe|C /dir|C /etc|C /etc/a|D /dir/old|D /etc/b"
			if s := strings.Join(got, "|"); s != want {
				t.Errorf("changes\n%s, not\n%s", s, want)
			}
			parent, err := w.Resolve(ctx, "base:1", nil)
			must(err)
			config := &dockerspec.DockerOCIImageConfig{}
			config.Cmd = []string{"/sh", "-c"}
			id, err := w.Commit(ctx, CommitRequest{Container: "c", Parent: parent, Config: config, CreatedBy: "/sh -c", Comment: "why", Author: "me", Ref: "docker.io/library/committed:1"})
			if err != nil {
				t.Fatal(err)
			}
			w.container("c2", "committed:1")
			dir := w.mounted("c2")
			if read(t, dir, "etc/a") != "changed" || read(t, dir, "etc/c") != "c" || read(t, dir, "dir/same") != "new" {
				t.Error("wrong files")
			}
			for _, name := range []string{"etc/b", "dir/old"} {
				if _, err := os.Lstat(filepath.Join(dir, name)); !errors.Is(err, os.ErrNotExist) {
					t.Errorf("%s is there: %v", name, err)
				}
			}
			var a, b unix.Stat_t
			must(unix.Stat(filepath.Join(dir, "dir/new"), &a))
			must(unix.Stat(filepath.Join(dir, "dir/same"), &b))
			if a.Ino != b.Ino {
				t.Error("a hard link became a copy")
			}
			value := make([]byte, 8)
			if n, err := unix.Getxattr(filepath.Join(dir, "dir/new"), "user.x", value); err != nil || string(value[:n]) != "y" {
				t.Errorf("extended attribute %q, %v", value[:n], err)
			}
			history, err := w.ImageHistory(ctx, id.String(), nil)
			if err != nil || len(history) != 2 || history[0].Comment != "why" || history[0].CreatedBy != "/sh -c" || history[0].Size == 0 {
				t.Errorf("history %+v, %v", history, err)
			}
		})
	}
}

func TestCommitIsReproducible(t *testing.T) {
	w := open(t, Options{})
	w.mustLoad(base())
	w.container("c", "base:1")
	change(t, w.mounted("c"))
	var first bytes.Buffer
	for i := range 3 {
		var b bytes.Buffer
		if _, err := w.writeChanges(w.in(context.Background()), "c", &b); err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			first = b
		} else if !bytes.Equal(first.Bytes(), b.Bytes()) {
			t.Fatal("the same changes made another layer")
		}
	}
}

func TestCommitOfNothing(t *testing.T) {
	w := open(t, Options{})
	ctx := context.Background()
	w.mustLoad(base())
	w.container("c", "base:1")
	parent, err := w.Resolve(ctx, "base:1", nil)
	must(err)
	id, err := w.Commit(ctx, CommitRequest{Container: "c", Parent: parent})
	if err != nil {
		t.Fatal(err)
	}
	img, err := w.Resolve(ctx, id.String(), nil)
	if err != nil || img.ChainID != parent.ChainID || !img.Config.History[1].EmptyLayer {
		t.Errorf("%+v, %v", img, err)
	}
}

func TestSaveAndLoad(t *testing.T) {
	w := open(t, Options{})
	ctx := context.Background()
	w.mustLoad(two(), base())
	w.tag("two:1", "two:2")
	var b bytes.Buffer
	if err := w.ImageSave(ctx, []string{"two", "base:1"}, nil, &b); err != nil {
		t.Fatal(err)
	}
	var names []string
	tr := tar.NewReader(bytes.NewReader(b.Bytes()))
	for {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		must(err)
		names = append(names, h.Name)
	}
	for _, want := range []string{"repositories", "manifest.json", "index.json", "oci-layout"} {
		if !slices.Contains(names, want) {
			t.Errorf("no %s in %v", want, names)
		}
	}
	other := open(t, Options{})
	lines, err := other.load(b.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"two:1", "two:2", "base:1"} {
		if !slices.Contains(lines, "Loaded image: "+want) {
			t.Errorf("no %s in %v", want, lines)
		}
		a, err := w.Resolve(ctx, want, nil)
		must(err)
		if b, err := other.Resolve(ctx, want, nil); err != nil || a.ID != b.ID {
			t.Errorf("%s: %v, %v", want, b, err)
		}
	}
	img, err := w.Resolve(ctx, "base:1", nil)
	must(err)
	b.Reset()
	if err := w.ImageSave(ctx, []string{img.ID.Encoded()[:12]}, nil, &b); err != nil {
		t.Fatal(err)
	}
	third := open(t, Options{})
	if lines, err = third.load(b.Bytes()); err != nil || lines[len(lines)-1] != "Loaded image ID: "+img.ID.String() {
		t.Errorf("%v, %v", lines, err)
	}
	if err := w.ImageSave(ctx, []string{"nosuch"}, nil, io.Discard); err == nil || err.Error() != "No such image: nosuch:latest" {
		t.Errorf("got %v", err)
	}
}

func TestHello(t *testing.T) {
	w := open(t, Options{Mirrors: []string{"http://127.0.0.1:1"}})
	lines, err := w.pullHello()
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(strings.Join(lines, "\n"), "Status: Downloaded newer image for hello-world:latest") {
		t.Errorf("told %v", lines)
	}
	img, err := w.Resolve(context.Background(), "hello-world", nil)
	if err != nil || fmt.Sprint(img.Config.Config.Cmd) != "[/hello]" {
		t.Errorf("%+v, %v", img, err)
	}
	if lines, err = w.pullHello(); err != nil || !strings.HasSuffix(strings.Join(lines, "\n"), "Status: Image is up to date for hello-world:latest") {
		t.Errorf("pulled again: %v, %v", lines, err)
	}
}

// Of two clients that want the image that is built in, both get it; another image keeps the name.
func TestHelloTwice(t *testing.T) {
	w := open(t, Options{Mirrors: []string{"http://127.0.0.1:1"}})
	results := make(chan error)
	for range 2 {
		go func() {
			_, err := w.pullHello()
			results <- err
		}()
	}
	for range 2 {
		if err := <-results; err != nil {
			t.Error(err)
		}
	}
	w.mustLoad(two())
	w.tag("two:1", "hello-world:latest")
	if _, err := w.pullHello(); err == nil {
		t.Error("another image has lost its name")
	}
}
