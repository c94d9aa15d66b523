package remote

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/distribution/reference"
	"github.com/moby/moby/api/types/registry"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

const config = `{"architecture": "arm64", "os": "linux", "variant": "v8"}`

var manifest = fmt.Sprintf(`{"schemaVersion": 2, "config": {"digest": %q}, "layers": []}`, digest.FromString(config))

// fake is a registry that wants tokens.
type fake struct {
	*httptest.Server
	asked   []string // of the server of tokens
	answers map[string]string
	kind    string // of manifests
}

func newFake(t *testing.T) *fake {
	f := &fake{kind: ocispec.MediaTypeImageManifest, answers: map[string]string{
		"manifests/latest": manifest, "blobs/" + digest.FromString(config).String(): config,
	}}
	f.Server = httptest.NewServer(http.HandlerFunc(f.serve))
	t.Cleanup(f.Close)
	return f
}

func (f *fake) serve(w http.ResponseWriter, r *http.Request) {
	r.ParseForm()
	if r.URL.Path == "/token" {
		user, password, _ := r.BasicAuth()
		f.asked = append(f.asked, strings.Join([]string{r.Method, user + ":" + password, r.Form.Get("service"), strings.Join(r.Form["scope"], " "), r.Form.Get("refresh_token")}, "|"))
		if user == "nobody" {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusUnauthorized)
			fmt.Fprint(w, `{"errors": [{"code": "UNAUTHORIZED", "message": "who are you"}]}`)
			return
		}
		json.NewEncoder(w).Encode(map[string]string{"token": "token of " + r.Form.Get("scope")})
		return
	}
	if !strings.HasPrefix(r.Header.Get("Authorization"), "Bearer ") {
		w.Header().Set("WWW-Authenticate", fmt.Sprintf(`Bearer realm="%s/token", service="the \"service\""`, f.URL))
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	path := strings.TrimPrefix(r.URL.Path, "/v2/app/")
	switch body, ok := f.answers[path]; {
	case ok && r.Method == http.MethodGet:
		w.Header().Set("Content-Type", f.kind)
		fmt.Fprint(w, body)
	case r.Method == http.MethodPut:
		w.Header().Set("Docker-Content-Digest", string(digest.FromString("it")))
		w.WriteHeader(http.StatusCreated)
	case r.Method == http.MethodPost && r.Form.Get("from") == "other":
		w.WriteHeader(http.StatusCreated)
	case r.Method == http.MethodPost:
		w.Header().Set("Location", "http://elsewhere.invalid/upload")
		w.WriteHeader(http.StatusAccepted)
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

func (f *fake) ref(t *testing.T, rest string) reference.Named {
	t.Helper()
	u, _ := url.Parse(f.URL)
	named, err := reference.ParseNormalizedNamed(u.Host + "/" + rest)
	if err != nil {
		t.Fatal(err)
	}
	return named
}

func client(a registry.AuthConfig) *Client {
	return &Client{Insecure: true, UserAgent: "test", Credentials: func(string) (registry.AuthConfig, error) { return a, nil }}
}

func TestTokens(t *testing.T) {
	const service, pull = `the "service"`, "repository:app:pull"
	for name, c := range map[string]struct {
		auth registry.AuthConfig
		want []string
	}{
		"nothing":        {registry.AuthConfig{}, []string{"GET|:|" + service + "|" + pull + "|"}},
		"password":       {registry.AuthConfig{Username: "u", Password: "p"}, []string{"GET|u:p|" + service + "|" + pull + "|"}},
		"identity token": {registry.AuthConfig{IdentityToken: "i"}, []string{"POST|:|" + service + "|" + pull + "|i"}},
		"registry token": {registry.AuthConfig{RegistryToken: "r"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake(t)
			i, err := client(c.auth).Image(t.Context(), f.ref(t, "app:latest"))
			if err != nil {
				t.Fatal(err)
			}
			if p := i.Descriptor.Platform; p.Architecture != "arm64" || p.Variant != "v8" {
				t.Errorf("platform %+v", p)
			}
			if !slices.Equal(f.asked, c.want) {
				t.Errorf("asked for tokens %q, want %q", f.asked, c.want)
			}
		})
	}
}

func TestRefusedToken(t *testing.T) {
	f := newFake(t)
	_, err := client(registry.AuthConfig{Username: "nobody", Password: "p"}).Image(t.Context(), f.ref(t, "app:latest"))
	if err == nil || !strings.HasSuffix(err.Error(), "unauthorized: who are you") {
		t.Errorf("got %v", err)
	}
}

// Without --insecure, as a registry on a loopback address needs none, with TLS and without.
func TestPush(t *testing.T) {
	for name, start := range map[string]func(http.Handler) *httptest.Server{"no TLS": httptest.NewServer, "TLS": httptest.NewTLSServer} {
		t.Run(name, func(t *testing.T) {
			f := newFake(t)
			f.Server = start(http.HandlerFunc(f.serve))
			t.Cleanup(f.Close)
			testPush(t, f)
		})
	}
}

func testPush(t *testing.T, f *fake) {
	c := client(registry.AuthConfig{})
	c.Insecure = false
	to, blob := f.ref(t, "app:new"), digest.FromString("blob")
	for from, want := range map[string]bool{"other": true, "third": false} {
		if got, err := c.Mount(t.Context(), blob, from, to); err != nil || got != want {
			t.Errorf("mounted from %s: %v, %v", from, got, err)
		}
	}
	if d, err := c.Put(t.Context(), to, ocispec.MediaTypeImageManifest, []byte(manifest)); err != nil || d != digest.FromString("it") {
		t.Errorf("put: %v, %v", d, err)
	}
	for _, scope := range []string{"repository:app:pull,push repository:other:pull|", "repository:app:pull,push|"} {
		if !slices.ContainsFunc(f.asked, func(s string) bool { return strings.HasSuffix(s, scope) }) {
			t.Errorf("no token of %q asked for, but %q", scope, f.asked)
		}
	}
}

// What a registry sends is not believed.
func TestHostile(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*fake)
		name   string
		want   string
	}{
		"digest of the manifest": {func(*fake) {}, "app:latest@" + digest.FromString("other").String(), "manifest verification failed for digest"},
		"digest of the config": {func(f *fake) { f.answers["blobs/"+digest.FromString(config).String()] = "{}" }, "app:latest",
			"image config verification failed for digest"},
		"no config":      {func(f *fake) { delete(f.answers, "blobs/"+digest.FromString(config).String()) }, "app:latest", "unknown blob"},
		"path as digest": {func(f *fake) { f.answers["manifests/latest"] = `{"config": {"digest": "../../x"}}` }, "app:latest", `cannot read the config "../../x"`},
		"no JSON":        {func(f *fake) { f.answers["manifests/latest"] = "<html>" }, "app:latest", "cannot read the manifest of"},
		"index inside":   {func(f *fake) { f.answers["manifests/latest"] = `{"manifests": []}` }, "app:latest", "expected manifest but found index"},
		"another kind inside": {func(f *fake) { f.answers["manifests/latest"] = `{"mediaType": "text/plain"}` }, "app:latest",
			"mediaType in manifest should be 'application/vnd.oci.image.manifest.v1+json' not 'text/plain'"},
		"another kind": {func(f *fake) { f.kind = "text/html" }, "app:latest", "unsupported manifest media type and no default available: text/html"},
		"too long":     {func(f *fake) { f.answers["manifests/latest"] = strings.Repeat(" ", maxBody+1) }, "app:latest", "has more than"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake(t)
			c.change(f)
			_, err := client(registry.AuthConfig{}).Image(t.Context(), f.ref(t, c.name))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

func TestList(t *testing.T) {
	f, c := newFake(t), client(registry.AuthConfig{})
	f.kind = ocispec.MediaTypeImageIndex
	f.answers["manifests/latest"] = `{"manifests": [{"digest": "sha256:x"}]}`
	var list *ErrList
	if _, err := c.Image(t.Context(), f.ref(t, "app:latest")); !errors.As(err, &list) {
		t.Errorf("got %v", err)
	}
	if _, err := c.List(t.Context(), f.ref(t, "app:latest")); err == nil || !strings.Contains(err.Error(), "invalid") {
		t.Errorf("an entry without a digest: %v", err)
	}
}

// Only registries on a loopback address, and those of --insecure, may have any certificate, or none.
func TestEndpoints(t *testing.T) {
	for name, c := range map[string]struct {
		domain   string
		insecure bool
		want     string
	}{
		"hub":      {"docker.io", false, "https://registry-1.docker.io false"},
		"secure":   {"192.0.2.1:5000", false, "https://192.0.2.1:5000 false"},
		"insecure": {"192.0.2.1:5000", true, "https://192.0.2.1:5000 true, http://192.0.2.1:5000 true"},
		"loopback": {"127.1.2.3:5000", false, "https://127.1.2.3:5000 true, http://127.1.2.3:5000 true"},
		"version6": {"[::1]:5000", false, "https://[::1]:5000 true, http://[::1]:5000 true"},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, e := range (&Client{Insecure: c.insecure}).endpoints(context.Background(), c.domain) {
				got = append(got, fmt.Sprint(e.url.String(), " ", e.loose))
			}
			if strings.Join(got, ", ") != c.want {
				t.Errorf("got %q", got)
			}
		})
	}
}

// Without --insecure nothing is got without TLS.
func TestNoTLS(t *testing.T) {
	f := newFake(t)
	c := client(registry.AuthConfig{Username: "u", Password: "secret"})
	c.Insecure = false
	if _, err := c.Image(t.Context(), f.ref(t, "app:latest")); err == nil || !strings.HasPrefix(err.Error(), "no such manifest: ") {
		t.Errorf("got %v", err)
	}
	if len(f.asked) > 0 {
		t.Errorf("credentials were sent: %q", f.asked)
	}
}

func FuzzChallenges(f *testing.F) {
	for _, s := range []string{`Bearer realm="https://a/token",service=b, scope="c,d"`, `Basic`, `Basic realm="x\"`, `Bearer a=`, `Bearer =,=`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, c := range challengesOf(http.Header{"Www-Authenticate": {s}}) {
			if c.scheme != strings.ToLower(c.scheme) {
				t.Errorf("scheme %q", c.scheme)
			}
		}
	})
}

func TestChallenges(t *testing.T) {
	got := challengesOf(http.Header{"Www-Authenticate": {`Bearer realm="https://a/t?x=y,z",service=b , error="say \"no\""`, "Basic realm=x"}})
	if len(got) != 2 || got[0].scheme != "bearer" || got[1].scheme != "basic" || got[1].parameters["realm"] != "x" {
		t.Fatalf("got %+v", got)
	}
	for k, want := range map[string]string{"realm": "https://a/t?x=y,z", "service": "b", "error": `say "no"`} {
		if got[0].parameters[k] != want {
			t.Errorf("%s is %q", k, got[0].parameters[k])
		}
	}
}

func TestErrors(t *testing.T) {
	for name, c := range map[string]struct {
		status     int
		kind, body string
		want       string
	}{
		"code":       {404, "application/json", `{"errors": [{"code": "MANIFEST_UNKNOWN", "message": "manifest unknown"}]}`, "manifest unknown"},
		"message":    {400, "application/json", `{"errors": [{"code": "TAG_INVALID", "message": "bad tag"}]}`, "tag invalid: bad tag"},
		"detail":     {404, "application/json", `{"errors": [{"code": "NAME_UNKNOWN", "message": "no", "detail": {}}]}`, "name unknown: no"},
		"strange":    {400, "application/json", `{"errors": [{"code": "ODD", "message": "odd"}]}`, "unknown: odd"},
		"two":        {403, "application/json", `{"errors": [{"code": "DENIED"}, {"code": "UNSUPPORTED"}]}`, "errors:\ndenied\nunsupported\n"},
		"details":    {429, "application/json", `{"details": "slowly"}`, "toomanyrequests: slowly"},
		"plain":      {403, "text/plain", "go away", "denied: go away"},
		"empty":      {400, "application/json", `{}`, `error parsing HTTP 400 response body: no error details found in HTTP response body: "{}"`},
		"not let in": {401, "application/json", `{}`, "unauthorized: authentication required"},
		"server":     {500, "text/plain", "oops", "received unexpected HTTP status: 500 Oops"},
	} {
		t.Run(name, func(t *testing.T) {
			a := &answer{status: c.status, line: fmt.Sprint(c.status, " Oops"), header: http.Header{"Content-Type": {c.kind}}, body: []byte(c.body)}
			if got := a.err().Error(); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}
