package engine

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

const dockerTypes = "application/vnd.docker."

// dhow manifest says and does what docker manifest does, without a daemon. $OTHER is the other of the two programs: each
// goes on with what the other has begun.
func TestManifest(t *testing.T) {
	needRoot(t)
	const file = "testdata/manifest.txt"
	steps, err := readScenario(file)
	if err != nil {
		t.Fatal(err)
	}
	docker, dhow := dockerProgram(), filepath.Join(programs, "dhow")
	if *update {
		rewrite(t, file, manifestPlayer(t, docker, docker))
		return
	}
	if docker == "" {
		docker = dhow
	}
	for _, of := range [][2]string{{docker, dhow}, {dhow, docker}} {
		t.Run(filepath.Base(of[0]), func(t *testing.T) {
			play := manifestPlayer(t, of[0], of[1])
			for _, s := range steps {
				if got := play(&s); strings.Join(got, "\n") != strings.Join(s.want, "\n") {
					t.Errorf("%s: %s\ngot:\n%s\nwant:\n%s", s.line, s.command, strings.Join(got, "\n"), strings.Join(s.want, "\n"))
				}
			}
		})
	}
}

// manifestPlayer returns what plays steps with registries of their own, which have images.
func manifestPlayer(t *testing.T, program, other string) func(*step) []string {
	t.Helper()
	passwords := filepath.Join(t.TempDir(), "passwords")
	if err := os.WriteFile(passwords, []byte(secretLogin), 0o600); err != nil {
		t.Fatal(err)
	}
	open, dir := startRegistry(t, ""), workplace(t, program)
	closed := startRegistry(t, fmt.Sprintf("auth: {htpasswd: {realm: test, path: %s}}\n", passwords))
	seed(t, &library{t, "http://" + open + "/v2/"})
	seed(t, &library{t, "http://user:secret@" + closed + "/v2/"})
	env := []string{"OPEN=" + open, "CLOSED=" + closed, "NONE=127.0.0.1:9", "OTHER=" + other, "DOCKER_CONFIG=" + filepath.Join(dir, "config")}
	shown := strings.NewReplacer("Usage:  dhow", "Usage:  docker", open, "OPEN", closed, "CLOSED", dir, "DIR",
		strings.ReplaceAll(open, ":", "-"), "OPEN", strings.ReplaceAll(closed, ":", "-"), "CLOSED")
	return func(s *step) (lines []string) {
		for _, line := range s.play(filepath.Join(dir, "none.sock"), dir, env...) {
			lines = append(lines, shown.Replace(line))
		}
		return lines
	}
}

// seed fills a registry: images of both kinds for several platforms, and lists of them.
func seed(t *testing.T, l *library) {
	t.Helper()
	amd64, arm64 := ocispec.Platform{Architecture: "amd64", OS: "linux"}, ocispec.Platform{Architecture: "arm64", OS: "linux", Variant: "v8"}
	one := l.image("app", "amd64", amd64, "   ", false)
	two := l.image("app", "arm64", arm64, "  ", true)
	l.image("app", "bare", ocispec.Platform{}, "   ", false)
	l.image("other", "arm", ocispec.Platform{Architecture: "arm", OS: "linux", Variant: "v7"}, "   ", false)
	l.image("other", "oci", arm64, "", true)
	l.image("other", "windows", ocispec.Platform{Architecture: "amd64", OS: "windows", OSVersion: "10.0.1"}, "\t", false)
	for tag, kind := range map[string]string{"index": ocispec.MediaTypeImageIndex, "list": dockerTypes + "distribution.manifest.list.v2+json"} {
		l.put("app", tag, kind, map[string]any{"schemaVersion": 2, "mediaType": kind, "manifests": []ocispec.Descriptor{one, two}}, "")
	}
}

// library is a registry that is written to.
type library struct {
	t    *testing.T
	base string
}

// image writes an image with one layer, its manifest indented.
func (l *library) image(repository, tag string, p ocispec.Platform, indent string, oci bool) ocispec.Descriptor {
	l.t.Helper()
	manifest, config, layer := dockerTypes+"distribution.manifest.v2+json", dockerTypes+"container.image.v1+json", dockerTypes+"image.rootfs.diff.tar.gzip"
	m := map[string]any{"schemaVersion": 2}
	if oci {
		manifest, config, layer = ocispec.MediaTypeImageManifest, ocispec.MediaTypeImageConfig, ocispec.MediaTypeImageLayerGzip
		m["annotations"] = map[string]string{"title": "a <b> & c"}
	}
	m["mediaType"] = manifest
	m["config"] = l.blob(repository, config, map[string]any{"architecture": p.Architecture, "os": p.OS, "os.version": p.OSVersion, "variant": p.Variant, "config": struct{}{}})
	m["layers"] = []ocispec.Descriptor{l.blob(repository, layer, "layer of "+repository+":"+tag)}
	d := l.put(repository, tag, manifest, m, indent)
	d.Platform = &p
	return d
}

func (l *library) put(repository, tag, kind string, m any, indent string) ocispec.Descriptor {
	l.t.Helper()
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", indent)
	if err := e.Encode(m); err != nil {
		l.t.Fatal(err)
	}
	raw := bytes.TrimSpace(b.Bytes())
	l.send(http.MethodPut, l.base+repository+"/manifests/"+tag, kind, raw)
	return ocispec.Descriptor{MediaType: kind, Digest: digest.FromBytes(raw), Size: int64(len(raw))}
}

func (l *library) blob(repository, kind string, content any) ocispec.Descriptor {
	l.t.Helper()
	data, err := json.Marshal(content)
	if err != nil {
		l.t.Fatal(err)
	}
	d := digest.FromBytes(data)
	to := l.send(http.MethodPost, l.base+repository+"/blobs/uploads/", "", nil)
	q := to.Query()
	q.Set("digest", d.String())
	to.RawQuery = q.Encode()
	l.send(http.MethodPut, to.String(), "application/octet-stream", data)
	return ocispec.Descriptor{MediaType: kind, Digest: d, Size: int64(len(data))}
}

// send returns where the answer says to go on, with our name and password.
func (l *library) send(method, to, kind string, body []byte) *url.URL {
	l.t.Helper()
	q, err := http.NewRequest(method, to, bytes.NewReader(body))
	if err != nil {
		l.t.Fatal(err)
	}
	if kind != "" {
		q.Header.Set("Content-Type", kind)
	}
	r, err := http.DefaultClient.Do(q)
	if err != nil {
		l.t.Fatal(err)
	}
	defer r.Body.Close()
	if r.StatusCode/100 != 2 {
		l.t.Fatalf("%s %s: %s", method, to, r.Status)
	}
	next, err := q.URL.Parse(r.Header.Get("Location"))
	if err != nil {
		l.t.Fatal(err)
	}
	next.User = q.URL.User
	return next
}
