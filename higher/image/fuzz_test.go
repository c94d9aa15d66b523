package image

import (
	"bytes"
	"net/url"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/ulikunitz/xz"
)

// FuzzLayout reads the index of an OCI layout that somebody else wrote: each image that it tells of is among the blobs,
// under a name that can be one.
func FuzzLayout(f *testing.F) {
	d := digestBytes([]byte("x"))
	f.Add([]byte(`{"manifests":[{"digest":"` + d.String() + `","annotations":{"io.containerd.image.name":"a:b"}}]}`))
	f.Add([]byte(`{"manifests":[{"digest":"` + d.String() + `","annotations":{"org.opencontainers.image.ref.name":"x/y"}}]}`))
	f.Fuzz(func(t *testing.T, index []byte) {
		a := &archived{layout: &ocispec.ImageLayout{Version: ocispec.ImageLayoutVersion}}
		a.blobs = map[string]ocispec.Descriptor{"blobs/sha256/" + d.Encoded(): {Digest: d, Size: 1}}
		if readDocument(bytes.NewReader(index), &a.index) != nil || a.index == nil {
			return
		}
		list, err := (&Manager{}).layoutImages(a)
		if err != nil {
			return
		}
		for _, e := range list {
			if e.target.Digest != d {
				t.Errorf("%s is no blob of the layout", e.target.Digest)
			}
			if _, err := parseRef(e.name); e.name != "" && err != nil {
				t.Error(err)
			}
		}
	})
}

// FuzzNextPage reads Link headers: what comes of them stays on the registry's host.
func FuzzNextPage(f *testing.F) {
	f.Add(`</v2/x/tags/list?last=1>; rel="next"`)
	f.Add(`<http://evil/>; rel="next"`)
	f.Fuzz(func(t *testing.T, link string) {
		of := &url.URL{Scheme: "https", Host: "registry.test", Path: "/v2/x/tags/list"}
		if u, err := following(of, link); err == nil && u != nil && (u.Host != of.Host || u.Scheme != of.Scheme) {
			t.Errorf("%q leads to %s", link, u)
		}
	})
}

// FuzzFilterTime reads times of filters.
func FuzzFilterTime(f *testing.F) {
	for _, s := range []string{"24h", "1700000000", "2026-01-02", "2026-01-02T15:04:05Z"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) { _, _ = parseTime(s, time.Unix(0, 0)) })
}

func zstded(b []byte) []byte {
	var out bytes.Buffer
	z, err := zstd.NewWriter(&out)
	must(err)
	_, err = z.Write(b)
	must(err)
	must(z.Close())
	return out.Bytes()
}

func TestCompressions(t *testing.T) {
	w := open(t, Options{})
	for name, pack := range map[string]func([]byte) []byte{"gzip": gzipped, "zstd": zstded, "plain": func(b []byte) []byte { return b }} {
		i := two()
		i.names = []string{name + ":1"}
		if _, err := w.load(pack(saved(i))); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		f := startFake(t)
		f.add("image:1", i, pack(i.layers[0]), pack(i.layers[1])) // whatever the media type says
		if _, err := w.pull(f.addr()+"/image:1", false); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	cut := gzipped(saved(two()))
	if _, err := w.load(cut[:len(cut)-20]); err == nil {
		t.Error("loaded what was cut off")
	}
	var packed bytes.Buffer
	x, err := xz.NewWriter(&packed)
	if err == nil {
		_, err = x.Write(saved(two()))
	}
	if err == nil {
		err = x.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.load(packed.Bytes()); err != nil {
		t.Errorf("xz: %v", err)
	}
	if _, err := w.load(packed.Bytes()[:packed.Len()/2]); err == nil {
		t.Error("loaded half of an xz stream")
	}
}
