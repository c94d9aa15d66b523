package image

import (
	"context"
	"fmt"
	"math/rand"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/moby/moby/api/types/jsonstream"
)

// noise is a layer that does not compress.
func noise(size int) []byte {
	b := make([]byte, size)
	rand.New(rand.NewSource(1)).Read(b)
	return tarOf(file{name: "noise", body: string(b)})
}

// TestChildPulls is what is killed in TestPullAfterKill.
func TestChildPulls(t *testing.T) {
	root := os.Getenv("DHOW_TEST_ROOT")
	if root == "" {
		t.Skip("a part of TestPullAfterKill")
	}
	m, err := Open(context.Background(), Options{Root: root})
	must(err)
	err = m.ImagePull(context.Background(), os.Getenv("DHOW_TEST_REF"), false, nil, nil, func(m jsonstream.Message) {
		if m.Status == "Download complete" {
			must(os.WriteFile(filepath.Join(root, "complete"), []byte(m.ID), 0o600))
		}
	})
	t.Fatal("the pull ended: ", err)
}

// TestPullAfterKill kills a process in the middle of a pull. The next one fetches what is missing, and only that.
func TestPullAfterKill(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("layers are unpacked as root")
	}
	f := startFake(t)
	i := &testImage{layers: [][]byte{tarOf(file{name: "first", body: "x"}), noise(2 << 20)}}
	first, second := gzipped(i.layers[0]), gzipped(i.layers[1])
	f.add("some/image:1", i, first, second)
	const sent, stored = 1<<20 + 4321, 1 << 20 // it is written in pieces of 1 MiB
	half := make(chan struct{}, 1)
	blob := digestBytes(second).String()
	f.on(func(w http.ResponseWriter, r *http.Request) bool {
		if !strings.HasSuffix(r.URL.Path, blob) || r.Header.Get("Range") != "" {
			return false
		}
		half <- struct{}{}
		stall(w, r, second, sent)
		return true
	})
	root := t.TempDir()
	name := f.addr() + "/some/image:1"
	child := exec.Command(os.Args[0], "-test.run", "^TestChildPulls$")
	child.Env = append(os.Environ(), "DHOW_TEST_ROOT="+root, "DHOW_TEST_REF="+name)
	must(child.Start())
	<-half
	waitStored(t, filepath.Join(root, "content/ingest/*/data"), stored)
	waitStored(t, filepath.Join(root, "complete"), 1) // the first layer
	must(child.Process.Kill())
	_ = child.Wait()

	w := open(t, Options{Root: root})
	if list, err := w.ImageList(context.Background(), noList); err != nil || len(list) != 0 {
		t.Fatalf("half an image: %v, %v", list, err)
	}
	if _, err := w.pull(name, false); err != nil {
		t.Fatal(err)
	}
	if n := f.count("blobs/" + digestBytes(first).String()); n != 1 {
		t.Errorf("the layer that was there has been fetched %d times", n)
	}
	if n := f.count(fmt.Sprintf("%s bytes=%d-", digestBytes(second), stored)); n != 1 {
		t.Errorf("not resumed: %v", f.asked)
	}
	w.container("c", name)
	if len(read(t, w.mounted("c"), "noise")) != 2<<20 {
		t.Error("wrong file")
	}
}

// waitStored waits until a file, of those that a pattern matches, has so many bytes.
func waitStored(t *testing.T, pattern string, n int64) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond) // a file of another process
	defer tick.Stop()
	for range tick.C {
		files, err := filepath.Glob(pattern)
		must(err)
		for _, name := range files {
			if st, err := os.Stat(name); err == nil && st.Size() >= n {
				return
			}
		}
	}
}

// TestPullRetries has a registry break off in the middle.
func TestPullRetries(t *testing.T) {
	f := startFake(t)
	i := &testImage{layers: [][]byte{noise(1 << 20)}}
	l := gzipped(i.layers[0])
	f.add("image:1", i, l)
	f.on(func(w http.ResponseWriter, r *http.Request) bool {
		if !strings.HasSuffix(r.URL.Path, digestBytes(l).String()) || f.count(digestBytes(l).String()) > 1 {
			return false
		}
		w.Header().Set("Content-Length", fmt.Sprint(len(l)))
		_, _ = w.Write(l[:100_000])
		panic(http.ErrAbortHandler)
	})
	w := open(t, Options{})
	if _, err := w.pull(f.addr()+"/image:1", false); err != nil {
		t.Fatal(err)
	}
	if n := f.count("bytes=100000-"); n != 1 {
		t.Errorf("not resumed: %v", f.asked)
	}
}

// TestCorruptDownload has a registry send something else: it is refused, and not gone on with.
func TestCorruptDownload(t *testing.T) {
	f := startFake(t)
	i := &testImage{layers: [][]byte{noise(1 << 20)}}
	l := gzipped(i.layers[0])
	f.add("image:1", i, l)
	f.on(func(w http.ResponseWriter, r *http.Request) bool {
		if strings.HasSuffix(r.URL.Path, digestBytes(l).String()) {
			bad := append([]byte(nil), l...)
			bad[5000] ^= 1
			_, _ = w.Write(bad)
			return true
		}
		return false
	})
	w := open(t, Options{})
	_, err := w.pull(f.addr()+"/image:1", false)
	if err == nil || !strings.Contains(err.Error(), "filesystem layer verification failed for digest "+digestBytes(l).String()) {
		t.Errorf("got %v", err)
	}
	f.on(nil)
	if _, err := w.pull(f.addr()+"/image:1", false); err != nil {
		t.Errorf("pulled again: %v", err)
	}
}
