package image

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/containerd/containerd/v2/core/images"
	digest "github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// fake is a registry that can be told to misbehave.
type fake struct {
	*httptest.Server
	t      testing.TB
	mu     sync.Mutex
	blobs  map[digest.Digest][]byte
	types  map[digest.Digest]string
	tags   map[string]digest.Digest // by repository:tag
	asked  []string                 // METHOD path range
	before func(w http.ResponseWriter, r *http.Request) bool
	token  string // what clients must have got
}

func newFake(t testing.TB) *fake {
	f := &fake{t: t, blobs: map[digest.Digest][]byte{}, types: map[digest.Digest]string{}, tags: map[string]digest.Digest{}}
	f.Server = httptest.NewUnstartedServer(f)
	t.Cleanup(f.Close)
	return f
}

func startFake(t testing.TB) *fake {
	f := newFake(t)
	f.Start()
	return f
}

// on has a function see each request first; it says whether it has answered.
func (f *fake) on(before func(w http.ResponseWriter, r *http.Request) bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.before = before
}

func (f *fake) addr() string {
	return strings.TrimPrefix(strings.TrimPrefix(f.URL, "http://"), "https://")
}

func (f *fake) put(b []byte, mediaType string) ocispec.Descriptor {
	d := digest.FromBytes(b)
	f.blobs[d], f.types[d] = b, mediaType
	return ocispec.Descriptor{MediaType: mediaType, Digest: d, Size: int64(len(b))}
}

// add puts an image there, of layers that are compressed already.
func (f *fake) add(name string, i *testImage, layers ...[]byte) ocispec.Descriptor {
	m := ocispec.Manifest{MediaType: images.MediaTypeDockerSchema2Manifest, Config: f.put(i.config(), images.MediaTypeDockerSchema2Config)}
	m.SchemaVersion = 2
	for _, l := range layers {
		m.Layers = append(m.Layers, f.put(l, images.MediaTypeDockerSchema2LayerGzip))
	}
	raw, err := json.Marshal(m)
	must(err)
	desc := f.put(raw, m.MediaType)
	if name != "" {
		f.tags[name] = desc.Digest
	}
	return desc
}

// index puts an image for several platforms there.
func (f *fake) index(name string, list ...ocispec.Descriptor) ocispec.Descriptor {
	m := ocispec.Index{MediaType: ocispec.MediaTypeImageIndex, Manifests: list}
	m.SchemaVersion = 2
	raw, err := json.Marshal(m)
	must(err)
	desc := f.put(raw, m.MediaType)
	f.tags[name] = desc.Digest
	return desc
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	f.asked = append(f.asked, strings.TrimSpace(r.Method+" "+r.URL.Path+" "+r.Header.Get("Range")))
	before := f.before
	f.mu.Unlock()
	if before != nil && before(w, r) {
		return
	}
	if r.URL.Path == "/token" {
		user, password, _ := r.BasicAuth()
		if r.Method == http.MethodPost {
			must(r.ParseForm())
			user, password = r.Form.Get("username"), r.Form.Get("password")
		}
		if user != "user" || password != "secret" {
			f.fail(w, http.StatusUnauthorized, "UNAUTHORIZED", "incorrect username or password")
			return
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"token": f.token, "access_token": f.token, "expires_in": 300, "refresh_token": "refresh"})
		return
	}
	if f.token != "" && r.Header.Get("Authorization") != "Bearer "+f.token {
		w.Header().Set("WWW-Authenticate", fmt.Sprintf(`Bearer realm="%s/token",service="fake"`, f.URL))
		f.fail(w, http.StatusUnauthorized, "UNAUTHORIZED", "authentication required")
		return
	}
	f.serve(w, r)
}

func (f *fake) fail(w http.ResponseWriter, code int, name, text string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_, _ = fmt.Fprintf(w, `{"errors":[{"code":%q,"message":%q}]}`, name, text)
}

func (f *fake) serve(w http.ResponseWriter, r *http.Request) {
	path := strings.TrimPrefix(r.URL.Path, "/v2/")
	if path == "" {
		return
	}
	repo, rest, ok := strings.Cut(path, "/manifests/")
	var d digest.Digest
	switch {
	case ok && strings.HasPrefix(rest, "sha256:"):
		d = digest.Digest(rest)
	case ok:
		d = f.tags[repo+":"+rest]
	case strings.HasSuffix(path, "/tags/list"):
		f.listTags(w, r, strings.TrimSuffix(path, "/tags/list"))
		return
	default:
		_, rest, _ = strings.Cut(path, "/blobs/")
		d = digest.Digest(rest)
	}
	b, ok := f.blobs[d]
	if !ok {
		f.fail(w, http.StatusNotFound, "MANIFEST_UNKNOWN", "manifest unknown")
		return
	}
	w.Header().Set("Content-Type", f.types[d])
	w.Header().Set("Docker-Content-Digest", d.String())
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(b))
}

// listTags answers in pages of one tag.
func (f *fake) listTags(w http.ResponseWriter, r *http.Request, repo string) {
	var list []string
	for _, tag := range []string{"1", "2", "3"} {
		if _, ok := f.tags[repo+":"+tag]; ok && tag > r.URL.Query().Get("last") {
			list = append(list, tag)
		}
	}
	if len(list) > 1 {
		list = list[:1]
		w.Header().Set("Link", fmt.Sprintf(`</v2/%s/tags/list?last=%s>; rel="next"`, repo, list[0]))
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"name": repo, "tags": list})
}

// count is how often something was asked for.
func (f *fake) count(what string) (n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, a := range f.asked {
		if strings.Contains(a, what) {
			n++
		}
	}
	return n
}

// stall writes the first bytes of a blob, and no more until the client goes away.
func stall(w http.ResponseWriter, r *http.Request, b []byte, n int) {
	w.Header().Set("Content-Length", fmt.Sprint(len(b)))
	_, _ = io.Copy(w, bytes.NewReader(b[:n]))
	_ = http.NewResponseController(w).Flush()
	<-r.Context().Done()
}
