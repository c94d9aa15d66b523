package image

import (
	"bytes"
	"context"
	"math/rand"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/containerd/containerd/v2/core/mount"
	"github.com/moby/moby/api/types/jsonstream"
	"golang.org/x/sys/unix"
)

// TestChildWorks is what is killed in TestKilledAnywhere: it loads, prepares, commits, releases and removes, on and on.
func TestChildWorks(t *testing.T) {
	root := os.Getenv("DHOW_TEST_WORK")
	if root == "" {
		t.Skip("a part of TestKilledAnywhere")
	}
	ctx := context.Background()
	m, err := Open(ctx, Options{Root: root})
	must(err)
	archive := saved(two(), &testImage{names: []string{"big:1"}, layers: [][]byte{noise(300_000), tarOf(file{name: "x/y", body: "x"})}})
	nobody := func(jsonstream.Message) {}
	_, _ = os.Stdout.WriteString("ready\n")
	for {
		must(m.ImageLoad(ctx, bytes.NewReader(archive), nil, nobody))
		img, err := m.Resolve(ctx, "big:1", nil)
		must(err)
		must(m.Prepare(ctx, "c", img, false))
		_, err = m.Commit(ctx, CommitRequest{Container: "c", Parent: img, Ref: "docker.io/library/committed:1"})
		must(err)
		must(m.Release(ctx, "c"))
		for _, name := range []string{"committed:1", "big:1", "two:1"} {
			_, err := m.ImageDelete(ctx, name, true, true, nil)
			must(err)
		}
	}
}

func TestKilledAnywhere(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("layers are unpacked as root")
	}
	root := t.TempDir()
	r := rand.New(rand.NewSource(time.Now().UnixNano()))
	rounds := 6
	if os.Getenv("DHOW_TEST_SOAK") != "" {
		rounds = 200
	}
	for range rounds {
		child := exec.Command(os.Args[0], "-test.run", "^TestChildWorks$")
		child.Env = append(os.Environ(), "DHOW_TEST_WORK="+root)
		out, err := child.StdoutPipe()
		must(err)
		must(child.Start())
		_, err = out.Read(make([]byte, 6))
		must(err)
		time.AfterFunc(time.Duration(r.Int63n(int64(400*time.Millisecond))), func() { _ = child.Process.Kill() })
		_ = child.Wait()
		soundAfterKill(t, root)
	}
}

// soundAfterKill holds that what is listed can be used, and that there is nothing else.
func soundAfterKill(t *testing.T, root string) {
	t.Helper()
	ctx := context.Background()
	w := open(t, Options{Root: root})
	defer func() {
		must(w.Close())
		w.Manager = nil
	}()
	list, err := w.ImageList(ctx, noList)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range list {
		img, err := w.Resolve(ctx, s.ID, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Prepare(ctx, "try", img, false); err != nil {
			t.Fatal(err)
		}
		must(w.Release(ctx, "try"))
	}
	ids, err := w.Containers(ctx)
	must(err)
	for _, id := range ids {
		must(w.Release(ctx, id))
	}
	for _, s := range list {
		if _, err := w.ImageDelete(ctx, s.ID, true, true, nil); err != nil {
			t.Fatal(err)
		}
	}
	w.collect(w.in(ctx))
	if left := leftovers(t, root); len(left) > 0 {
		t.Fatalf("left on the disk: %v", left)
	}
}

// leftovers are the blobs, downloads and snapshots that are there.
func leftovers(t *testing.T, root string) (out []string) {
	t.Helper()
	for _, pattern := range []string{"content/blobs/*/*", "content/ingest/*", "snapshots/*/snapshots/*"} {
		names, err := filepath.Glob(filepath.Join(root, pattern))
		must(err)
		out = append(out, names...)
	}
	return out
}

// TestFullDisk has no space for an image: the error says so, nothing stays, and a small one fits afterwards.
func TestFullDisk(t *testing.T) {
	root := t.TempDir()
	m := mount.Mount{Type: "tmpfs", Source: "tmpfs", Options: []string{"size=4m"}}
	if os.Getuid() != 0 {
		t.Skip("mounts")
	}
	must(m.Mount(root))
	defer func() {
		_ = unix.Unmount(root, unix.MNT_DETACH) // the content store has a file open for a while
	}()
	w := open(t, Options{Root: root})
	defer func() {
		_ = w.Close()
		w.Manager = nil
	}()
	f := startFake(t)
	for _, size := range []int{1500_000, 6 << 20} { // the layer does not fit; the blob does not
		i := &testImage{names: []string{"big:1"}, layers: [][]byte{noise(size), noise(size / 2)}}
		_, err := w.load(saved(i))
		if err == nil || !strings.Contains(err.Error(), "no space left on device") {
			t.Errorf("load: %v", err)
		}
		f.add("big:1", i, gzipped(i.layers[0]), gzipped(i.layers[1]))
		if _, err := w.pull(f.addr()+"/big:1", false); err == nil || !strings.Contains(err.Error(), "no space left on device") {
			t.Errorf("pull: %v", err)
		}
		w.reopen()
		if left := leftovers(t, root); len(left) > 0 {
			t.Errorf("left on the disk: %v", left)
		}
	}
	w.mustLoad(two())
	w.container("c", "two:1")
}
