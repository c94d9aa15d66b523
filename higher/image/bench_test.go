package image

import (
	"archive/tar"
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// tree is a layer of a directory of this machine, up to a size.
func tree(dir string, limit int64) []byte {
	var b bytes.Buffer
	tw := tar.NewWriter(&b)
	seen := map[string]bool{}
	_ = filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || int64(b.Len()) > limit {
			return filepath.SkipAll
		}
		info, err := d.Info()
		if err != nil || !info.Mode().IsRegular() {
			return nil
		}
		body, err := os.ReadFile(name)
		if err != nil {
			return nil
		}
		for up := filepath.Dir(name); up != "/" && !seen[up]; up = filepath.Dir(up) {
			seen[up] = true
			must(tw.WriteHeader(&tar.Header{Name: up[1:] + "/", Typeflag: tar.TypeDir, Mode: 0o755}))
		}
		must(tw.WriteHeader(&tar.Header{Name: name[1:], Mode: 0o644, Size: int64(len(body))}))
		_, err = tw.Write(body)
		must(err)
		return nil
	})
	must(tw.Close())
	return b.Bytes()
}

// nine is an image of nine layers, one large.
func nine() *testImage {
	i := &testImage{names: []string{"nine:1"}, layers: [][]byte{tree("/usr/lib/x86_64-linux-gnu", 90<<20)}}
	for n, dir := range []string{"/usr/share/doc", "/usr/share/perl", "/usr/bin", "/usr/share/locale", "/usr/lib/python3", "/usr/sbin", "/usr/share/zoneinfo", "/etc"} {
		layer := append(tree(dir, 6<<20)[:0:0], tarOf(file{name: fmt.Sprintf("layer%d", n), body: "x"})...)
		if t := tree(dir, 6<<20); len(t) > 1024 {
			layer = t
		}
		i.layers = append(i.layers, layer)
	}
	return i
}

func BenchmarkPullNine(b *testing.B) {
	addr := startRegistry(b, "")
	w := open(b, Options{})
	i := nine()
	w.mustLoad(i)
	name := addr + "/nine:1"
	w.tag("nine:1", name)
	repacked := w.repack("nine:1", addr+"/packed:1")
	if _, err := w.push(repacked, false); err != nil {
		b.Fatal(err)
	}
	w.delete("nine:1")
	w.delete(name)
	w.delete(repacked)
	for b.Loop() {
		if _, err := w.pull(repacked, false); err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		w.delete(repacked)
		b.StartTimer()
	}
}

func BenchmarkPrepare(b *testing.B) {
	w := open(b, Options{})
	w.mustLoad(two())
	img, err := w.Resolve(b.Context(), "two:1", nil)
	must(err)
	n := 0
	for b.Loop() {
		n++
		must(w.Prepare(b.Context(), fmt.Sprint(n), img, false))
		_, err := w.Mounts(b.Context(), fmt.Sprint(n))
		must(err)
	}
}

func BenchmarkResolve(b *testing.B) {
	w := open(b, Options{})
	w.mustLoad(two())
	for b.Loop() {
		_, err := w.Resolve(b.Context(), "two:1", nil)
		must(err)
	}
}
