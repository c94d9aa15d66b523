package image

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"encoding/pem"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/containerd/platforms"
	"github.com/moby/moby/api/types/registry"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/sync/errgroup"
)

func small() (*testImage, []byte) {
	i := &testImage{layers: [][]byte{tarOf(file{name: "f", body: "x"})}}
	return i, gzipped(i.layers[0])
}

func TestTokenAuth(t *testing.T) {
	f := startFake(t)
	f.token = "token"
	i, l := small()
	f.add("image:1", i, l)
	w := open(t, Options{})
	ctx := context.Background()
	name := f.addr() + "/image:1"
	var lines []string
	err := w.ImagePull(ctx, name, false, nil, nil, collect(&lines))
	if err == nil || err.Error() != "error from registry: incorrect username or password" {
		t.Errorf("got %v", err)
	}
	auth := &registry.AuthConfig{Username: "user", Password: "secret", ServerAddress: f.addr()}
	if err := w.ImagePull(ctx, name, false, nil, auth, collect(&lines)); err != nil {
		t.Fatal(err)
	}
	answer, err := w.Login(ctx, auth)
	if err != nil || answer.Status != "Login Succeeded" || answer.IdentityToken != "refresh" {
		t.Errorf("login: %+v, %v", answer, err)
	}
	auth.Password = "wrong"
	if _, err := w.Login(ctx, auth); err == nil || !strings.Contains(err.Error(), "incorrect username or password") {
		t.Errorf("got %v", err)
	}
	w.delete(name)
	if err := w.ImagePull(ctx, name, false, nil, &registry.AuthConfig{RegistryToken: "token"}, collect(&lines)); err != nil {
		t.Error(err)
	}
}

func TestAllTags(t *testing.T) {
	f := startFake(t)
	i, l := small()
	for _, tag := range []string{"1", "2", "3"} {
		f.add("image:"+tag, i, l)
	}
	w := open(t, Options{})
	if _, err := w.pull(f.addr()+"/image", true); err != nil {
		t.Fatal(err)
	}
	list, err := w.ImageList(context.Background(), noList)
	if err != nil || len(list) != 1 || len(list[0].RepoTags) != 3 {
		t.Errorf("%+v, %v", list, err)
	}
}

func TestPlatforms(t *testing.T) {
	f := startFake(t)
	host := platforms.DefaultSpec()
	i, l := small()
	other := &testImage{layers: [][]byte{tarOf(file{name: "other", body: "y"})}, arch: "riscv64"}
	ours, theirs := f.add("", i, l), f.add("", other, gzipped(other.layers[0]))
	ours.Platform, theirs.Platform = &host, &ocispec.Platform{OS: "linux", Architecture: "riscv64"}
	f.index("image:1", theirs, ours)
	w := open(t, Options{})
	ctx := context.Background()
	name := f.addr() + "/image:1"
	if _, err := w.pull(name, false); err != nil {
		t.Fatal(err)
	}
	if n := f.count(theirs.Digest.String()); n != 0 {
		t.Error("another platform was fetched")
	}
	img, err := w.Resolve(ctx, name, nil)
	if err != nil || img.Manifest.Digest != ours.Digest || img.ID == ours.Digest {
		t.Errorf("%+v, %v", img, err)
	}
	riscv := &ocispec.Platform{OS: "linux", Architecture: "riscv64"}
	if _, err := w.Resolve(ctx, name, riscv); err == nil {
		t.Error("found what is not there")
	}
	var lines []string
	if err := w.ImagePull(ctx, name, false, riscv, nil, collect(&lines)); err != nil {
		t.Fatal(err)
	}
	if img, err := w.Resolve(ctx, name, riscv); err != nil || img.Manifest.Digest != theirs.Digest {
		t.Errorf("%+v, %v", img, err)
	}
	none := &ocispec.Platform{OS: "linux", Architecture: "s390x"}
	if err := w.ImagePull(ctx, name, false, none, nil, collect(&lines)); err == nil || err.Error() != "no matching manifest for linux/s390x in the manifest list entries: no match for platform in manifest: not found" {
		t.Errorf("got %v", err)
	}
	d, err := w.DistributionInspect(ctx, name, nil)
	if err != nil || len(d.Platforms) != 2 || d.Descriptor.Digest != img.ID {
		t.Errorf("%+v, %v", d, err)
	}
	f.add("single:1", other, gzipped(other.layers[0]))
	single := f.addr() + "/single:1"
	if err := w.ImagePull(ctx, single, false, none, nil, collect(&lines)); err != nil {
		t.Errorf("an image of one platform is not pulled for another: %v", err)
	}
	if _, err := w.Resolve(ctx, single, none); err == nil || !strings.Contains(err.Error(), "does not provide the specified platform (linux/s390x)") {
		t.Errorf("got %v", err)
	}
	lines = nil
	if err := w.ImagePull(ctx, single, false, none, nil, collect(&lines)); err != nil || !strings.Contains(lines[len(lines)-1], "up to date") {
		t.Errorf("again: %v, %q", err, lines)
	}
}

func TestMirror(t *testing.T) {
	f := startFake(t)
	i, l := small()
	f.add("library/busybox:latest", i, l)
	w := open(t, Options{Mirrors: []string{f.URL}})
	lines, err := w.pull("busybox", false)
	if err != nil {
		t.Fatal(err)
	}
	if lines[0] != "latest: Pulling from library/busybox" || !slices.Contains(lines, "Status: Downloaded newer image for busybox:latest") {
		t.Errorf("told %v", lines)
	}
}

func TestPullByDigest(t *testing.T) {
	f := startFake(t)
	i, l := small()
	desc := f.add("image:1", i, l)
	w := open(t, Options{})
	name := f.addr() + "/image@" + desc.Digest.String()
	lines, err := w.pull(name, false)
	if err != nil {
		t.Fatal(err)
	}
	if lines[0] != name+": Pulling from image" || !slices.Contains(lines, "Status: Downloaded newer image for "+name) {
		t.Errorf("told %v", lines)
	}
	if _, err := w.Resolve(context.Background(), name, nil); err != nil {
		t.Error(err)
	}
	info, err := w.ImageInspect(context.Background(), name, noInspect)
	if err != nil || len(info.RepoTags) != 0 || info.RepoDigests[0] != name {
		t.Errorf("%+v, %v", info, err)
	}
}

func TestCertificates(t *testing.T) {
	f := newFake(t)
	f.StartTLS()
	i, l := small()
	f.add("image:1", i, l)
	w := open(t, Options{})
	name := "localhost:" + strings.Split(f.addr(), ":")[1] + "/image:1"
	if _, err := w.pull(name, false); err != nil {
		t.Errorf("loopback needs no certificate: %v", err)
	}
	w.delete(name)
	w.certs = []string{t.TempDir()}
	dir := filepath.Join(w.certs[0], "registry.test:443")
	must(os.MkdirAll(dir, 0o755))
	must(os.WriteFile(filepath.Join(dir, "ca.crt"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: f.Certificate().Raw}), 0o644))
	for host, want := range map[string]bool{"registry.test:443": true, "other.test:443": false} {
		if got := w.trusts(host, f.addr()); got != want {
			t.Errorf("%s trusted: %v", host, got)
		}
	}
	must(os.WriteFile(filepath.Join(dir, "bad.crt"), []byte("x"), 0o644))
	if _, err := w.pull("registry.test:443/image:1", false); err == nil || !strings.Contains(err.Error(), "bad.crt has no certificate") {
		t.Errorf("got %v", err)
	}
}

func TestInsecure(t *testing.T) {
	m := &Manager{}
	m.Reload([]string{"10.0.0.0/8", "a.test", "b.test:5000"}, nil)
	for host, want := range map[string]bool{
		"127.0.0.1:5000": true, "127.1.2.3": true, "[::1]:5000": true, "localhost:1": true, "10.2.3.4:80": true, "11.0.0.1": false,
		"a.test": true, "a.test:1": true, "b.test": false, "b.test:5000": true, hubHost: false,
	} {
		if got := m.insecure(t.Context(), host); got != want {
			t.Errorf("%s: %v", host, got)
		}
	}
}

// trusts says whether a connection to a registry of such a name works, which is really at addr.
func (w *world) trusts(host, addr string) bool {
	c := &tls.Config{ServerName: "example.com"} // as the test server's certificate has it
	must(w.trust(c, host))
	conn, err := tls.Dial("tcp", addr, c)
	if err != nil {
		return false
	}
	_ = conn.Close()
	return true
}

// TestBrokenImages has registries and archives offer what is no image: an error, and nothing that is in the way later.
func TestBrokenImages(t *testing.T) {
	f := startFake(t)
	i, l := small()
	for name, config := range map[string]string{"list": `[]`, "text": `hello`, "none": `{}`, "diffs": `{"rootfs":{"diff_ids":["sha256:x"]}}`} {
		m := ocispec.Manifest{MediaType: ocispec.MediaTypeImageManifest, Config: f.put([]byte(config), ocispec.MediaTypeImageConfig), Layers: []ocispec.Descriptor{f.put(l, ocispec.MediaTypeImageLayerGzip)}}
		m.SchemaVersion = 2
		raw, err := json.Marshal(m)
		must(err)
		f.tags[name+":1"] = f.put(raw, m.MediaType).Digest
	}
	f.tags["garbage:1"] = f.put([]byte("garbage"), ocispec.MediaTypeImageManifest).Digest
	f.tags["digests:1"] = f.put([]byte(`{"schemaVersion":2,"config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"x","size":3},"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar","digest":"../../etc","size":1}]}`), ocispec.MediaTypeImageManifest).Digest
	loop := f.index("loop:1")
	loop.MediaType = ocispec.MediaTypeImageIndex
	f.index("deep:1", loop, loop)
	f.add("good:1", i, l)
	w := open(t, Options{})
	for _, name := range []string{"list", "text", "none", "diffs", "garbage", "digests", "loop", "deep"} {
		_, err := w.pull(f.addr()+"/"+name+":1", false)
		if err == nil {
			t.Errorf("%s: pulled", name)
		}
		t.Log(name, err)
	}
	if _, err := w.pull(f.addr()+"/good:1", false); err != nil {
		t.Error(err)
	}
	if list, err := w.ImageList(context.Background(), noList); err != nil || len(list) != 1 {
		t.Errorf("%+v, %v", list, err)
	}
	for _, archive := range [][]byte{
		nil, []byte("x"), tarOf(), tarOf(file{name: "manifest.json", body: `[{"Config":"x"}]`}), tarOf(file{name: "manifest.json", body: `{`}),
		tarOf(file{name: "oci-layout", body: `{"imageLayoutVersion":"1.0.0"}`}, file{name: "index.json", body: `{"manifests":[{"digest":"x"}]}`}),
		tarOf(file{name: "c", body: "[]"}, file{name: "manifest.json", body: `[{"Config":"c","RepoTags":["a:b"]}]`}),
		tarOf(file{name: "c", body: "{}"}, file{name: "manifest.json", body: `[{"Config":"c","RepoTags":["../x"]}]`}),
	} {
		if _, err := w.load(archive); err == nil {
			t.Errorf("loaded %.60q", archive)
		}
	}
}

func TestPullsAtOnce(t *testing.T) {
	f := startFake(t)
	i := &testImage{layers: [][]byte{noise(300_000), tarOf(file{name: "f", body: "x"})}}
	f.add("image:1", i, gzipped(i.layers[0]), gzipped(i.layers[1]))
	w := open(t, Options{})
	var group errgroup.Group
	for range 5 {
		group.Go(func() error {
			_, err := w.pull(f.addr()+"/image:1", false)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	for _, l := range i.layers {
		if n := f.count("blobs/" + digestBytes(gzipped(l)).String()); n != 1 {
			t.Errorf("a layer was fetched %d times", n)
		}
	}
	w.container("c", f.addr()+"/image:1")
}

// TestLayerWithoutBlob has a layer unpacked of which no blob is there any more, as another image brought it otherwise.
func TestLayerWithoutBlob(t *testing.T) {
	f := startFake(t)
	i, l := small()
	f.add("image:1", i, l)
	i.names = []string{"plain:1"}
	w := open(t, Options{})
	w.mustLoad(i) // the same layer without compression
	lines, err := w.pull(f.addr()+"/image:1", false)
	if err != nil || !slices.Contains(lines, short(digestBytes(l))+": Pull complete") {
		t.Errorf("%v, %v", lines, err)
	}
}

// Where a list has an image for the level of the host's processor, that one is taken.
func TestPlatformLevel(t *testing.T) {
	host := Host()
	if host.Architecture != "amd64" || host.Variant == "v1" {
		t.Skip("needs a processor above the first level of amd64")
	}
	f := startFake(t)
	i, l := small()
	better := &testImage{layers: [][]byte{tarOf(file{name: "better", body: "y"})}, arch: "amd64"}
	plain, fast := f.add("", i, l), f.add("", better, gzipped(better.layers[0]))
	plain.Platform, fast.Platform = &ocispec.Platform{OS: "linux", Architecture: "amd64"}, &host
	f.index("image:1", plain, fast)
	w := open(t, Options{})
	name := f.addr() + "/image:1"
	if _, err := w.pull(name, false); err != nil {
		t.Fatal(err)
	}
	if img, err := w.Resolve(context.Background(), name, nil); err != nil || img.Manifest.Digest != fast.Digest {
		t.Errorf("%+v, %v", img, err)
	}
}
