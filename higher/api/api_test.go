package api

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/events"
	"github.com/moby/moby/api/types/image"
	"github.com/moby/moby/api/types/jsonstream"
	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/api/types/registry"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// fake answers what a test asks for; other calls panic.
type fake struct {
	Backend
	created  *container.CreateRequest
	asked    string
	filters  Filters
	err      error
	progress []jsonstream.Message
}

func (f *fake) ContainerCreate(_ context.Context, name string, r *container.CreateRequest, _ *ocispec.Platform, _ string) (container.CreateResponse, error) {
	f.asked, f.created = name, r
	return container.CreateResponse{ID: "c0ffee"}, f.err
}

func (f *fake) ContainerStart(_ context.Context, name string) error {
	f.asked = name
	return f.err
}

func (f *fake) ContainerList(_ context.Context, o ContainerListOptions) ([]container.Summary, error) {
	f.filters = o.Filters
	return nil, f.err
}

func (f *fake) ImageInspect(_ context.Context, name string, _ ImageInspectOptions) (*image.InspectResponse, error) {
	f.asked = name
	return &image.InspectResponse{ID: "sha256:1", Size: 7}, f.err
}

func (f *fake) ImagePull(_ context.Context, ref string, all bool, _ *ocispec.Platform, _ *registry.AuthConfig, p Progress) error {
	f.asked = fmt.Sprint(ref, " ", all)
	for _, m := range f.progress {
		p(m)
	}
	return f.err
}

func (f *fake) ContainerAttach(_ context.Context, _ string, _ AttachOptions, s Streams) error {
	if f.err != nil {
		return f.err
	}
	c, err := s.Hijack(true)
	if err != nil {
		return err
	}
	in, err := io.ReadAll(c)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(c, "got %s", in)
	return err
}

func serve(t *testing.T, f *fake) *httptest.Server {
	s := &Server{Backend: f, Log: slog.New(slog.DiscardHandler), Release: "test", BuilderVersion: "1"}
	s.Init()
	h := httptest.NewServer(s)
	t.Cleanup(h.Close)
	return h
}

// ask returns the status and body of an answer.
func ask(t *testing.T, h *httptest.Server, method, path, body string) (int, string) {
	t.Helper()
	r, err := http.NewRequest(method, h.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	answer, err := h.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	raw, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(raw)
}

func TestStatuses(t *testing.T) {
	f := &fake{}
	h := serve(t, f)
	for _, c := range []struct {
		err    error
		status int
	}{
		{nil, 204},
		{ErrNotModified, 304},
		{Errorf(errdefs.ErrNotFound, "No such container: x"), 404},
		{Errorf(errdefs.ErrConflict, "in use"), 409},
		{Errorf(errdefs.ErrInvalidArgument, "bad"), 400},
		{Errorf(errdefs.ErrPermissionDenied, "no"), 403},
		{Errorf(errdefs.ErrNotImplemented, "no"), 501},
		{fmt.Errorf("cannot start: %w", Errorf(errdefs.ErrUnavailable, "no")), 503},
		{io.ErrUnexpectedEOF, 500},
	} {
		f.err = c.err
		status, body := ask(t, h, "POST", "/v1.50/containers/x/start", "")
		if status != c.status {
			t.Errorf("%v: status %d, want %d", c.err, status, c.status)
		}
		if status >= 400 && body != fmt.Sprintf("{\"message\":%q}\n", c.err.Error()) {
			t.Errorf("%v: body %s", c.err, body)
		}
	}
	if f.asked != "x" {
		t.Errorf("asked for %q", f.asked)
	}
}

func TestVersions(t *testing.T) {
	h := serve(t, &fake{})
	for path, want := range map[string]string{
		"/v1.39/_ping":   "client version 1.39 is too old. Minimum supported API version is 1.40",
		"/v1.999/_ping":  "client version 1.999 is too new. Maximum supported API version is 1.56",
		"/v2.0/_ping":    "invalid API version",
		"/v1.40/_ping":   "OK",
		"/_ping":         "OK",
		"/v1.50/volumez": "page not found",
	} {
		if _, body := ask(t, h, "GET", path, ""); !strings.Contains(body, want) {
			t.Errorf("%s: %s", path, body)
		}
	}
}

func TestImageNamesHaveSlashes(t *testing.T) {
	f := &fake{}
	h := serve(t, f)
	_, body := ask(t, h, "GET", "/v1.40/images/127.0.0.1:5000/a/b:1/json", "")
	if f.asked != "127.0.0.1:5000/a/b:1" {
		t.Errorf("asked for %q", f.asked)
	}
	for _, want := range []string{`"VirtualSize":7`, `"RepoTags":[]`, `"ContainerConfig":`, `"Parent":""`} {
		if !strings.Contains(body, want) {
			t.Errorf("no %s in %s", want, body)
		}
	}
	if _, body = ask(t, h, "GET", "/v1.52/images/x/json", ""); strings.Contains(body, "VirtualSize") || strings.Contains(body, "Parent") {
		t.Errorf("1.52 has %s", body)
	}
}

func TestFilters(t *testing.T) {
	f := &fake{}
	h := serve(t, f)
	for _, query := range []string{`{"label":{"a=b":true}}`, `{"label":["a=b"]}`} {
		if status, body := ask(t, h, "GET", "/containers/json?filters="+strings.NewReplacer(`"`, "%22", "{", "%7B", "}", "%7D").Replace(query), ""); status != 200 || body != "[]\n" {
			t.Errorf("%d %q", status, body)
		}
		if fmt.Sprint(f.filters) != "map[label:[a=b]]" {
			t.Errorf("%s: %v", query, f.filters)
		}
	}
	if status, _ := ask(t, h, "GET", "/containers/json?filters=x", ""); status != 400 {
		t.Errorf("status %d", status)
	}
}

func TestCreate(t *testing.T) {
	f := &fake{}
	h := serve(t, f)
	body := `{"Image":"busybox","HostConfig":{"Sysctls":{"net.ipv4.conf.eth0.forwarding":"1"},"PortBindings":{"80/tcp":[]},"PidsLimit":-1},"MacAddress":"02:42:ac:11:00:09"}`
	status, answer := ask(t, h, "POST", "/v1.47/containers/create?name=n", body)
	if status != 201 || !strings.Contains(answer, "Migrated sysctl") || !strings.Contains(answer, "MacAddress field is now deprecated") {
		t.Fatalf("%d %s", status, answer)
	}
	e := f.created.NetworkingConfig.EndpointsConfig["bridge"]
	if f.asked != "n" || e == nil || e.MacAddress.String() != "02:42:ac:11:00:09" || e.DriverOpts[endpointSysctls] != "net.ipv4.conf.IFNAME.forwarding=1" {
		t.Errorf("%q %+v", f.asked, e)
	}
	if f.created.HostConfig.PidsLimit != nil || len(f.created.HostConfig.Sysctls) != 0 {
		t.Errorf("%+v", f.created.HostConfig)
	}
	if ports, _ := json.Marshal(f.created.HostConfig.PortBindings); string(ports) != `{"80/tcp":[{"HostIp":"","HostPort":""}]}` {
		t.Errorf("ports %s", ports)
	}
	for _, c := range []struct{ path, body, want string }{
		{"/v1.48/containers/create", body, "must be supplied using driver option"},
		{"/v1.50/containers/create", `{}`, "config cannot be empty"},
		{"/v1.50/containers/create", ``, "got EOF"},
		{"/v1.50/containers/create", `{"Image":"x"}{}`, "unexpected content after JSON"},
		{"/v1.50/containers/create", `{"Image":"x","HostConfig":{"Mounts":[{"Type":"bind","VolumeOptions":{}}]}}`, "VolumeOptions must not be specified"},
		{"/v1.43/containers/create", `{"Image":"x","NetworkingConfig":{"EndpointsConfig":{"b":{},"a":{}}}}`, "multiple network endpoints: a, b"},
	} {
		if status, answer := ask(t, h, "POST", c.path, c.body); status != 400 || !strings.Contains(answer, c.want) {
			t.Errorf("%s: %d %s, want %s", c.body, status, answer, c.want)
		}
	}
}

func TestProgress(t *testing.T) {
	f := &fake{err: Errorf(errdefs.ErrNotFound, "no such tag")}
	h := serve(t, f)
	if status, body := ask(t, h, "POST", "/images/create?fromImage=a/b&tag=1", ""); status != 404 {
		t.Errorf("before any progress: %d %s", status, body)
	}
	if f.asked != "a/b:1 false" {
		t.Errorf("pulled %q", f.asked)
	}
	f.progress = []jsonstream.Message{{Status: "Pulling"}}
	status, body := ask(t, h, "POST", "/images/create?fromImage=h:5000/b&tag=sha256:1", "")
	if status != 200 || body != "{\"status\":\"Pulling\"}\r\n{\"errorDetail\":{\"message\":\"no such tag\"},\"error\":\"no such tag\"}\r\n" {
		t.Errorf("%d %q", status, body)
	}
	if f.asked != "h:5000/b@sha256:1 false" {
		t.Errorf("pulled %q", f.asked)
	}
	ask(t, h, "POST", "/images/create?fromImage=h:5000/b", "")
	if f.asked != "h:5000/b true" {
		t.Errorf("pulled %q", f.asked)
	}
}

func TestHijack(t *testing.T) {
	f := &fake{}
	h := serve(t, f)
	conn, err := net.Dial("tcp", h.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	fmt.Fprint(conn, "POST /v1.50/containers/x/attach?stream=1 HTTP/1.1\r\nHost: d\r\nConnection: Upgrade\r\nUpgrade: tcp\r\nContent-Length: 0\r\n\r\nhello")
	if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	in := bufio.NewReader(conn)
	answer, err := http.ReadResponse(in, nil)
	if err != nil {
		t.Fatal(err)
	}
	if answer.StatusCode != 101 || answer.Header.Get("Content-Type") != "application/vnd.docker.multiplexed-stream" {
		t.Errorf("%d %v", answer.StatusCode, answer.Header)
	}
	body, err := io.ReadAll(in)
	if err != nil || string(body) != "got hello" {
		t.Errorf("%q %v", body, err)
	}
	f.err = Errorf(errdefs.ErrNotFound, "No such container: x")
	if status, _ := ask(t, h, "POST", "/containers/x/attach", ""); status != 404 {
		t.Errorf("status %d", status)
	}
}

func TestNoSwarm(t *testing.T) {
	h := serve(t, &fake{})
	for path, want := range map[string]int{
		"GET /nodes": 503, "GET /swarm": 503, "POST /services/create": 503, "POST /swarm/init": 501, "GET /plugins": 200, "GET /plugins/x/json": 404,
	} {
		method, path, _ := strings.Cut(path, " ")
		if status, _ := ask(t, h, method, path, ""); status != want {
			t.Errorf("%s %s: %d, want %d", method, path, status, want)
		}
	}
}

func TestLegacyEvent(t *testing.T) {
	m := events.Message{Type: "container", Action: "start", Actor: events.Actor{ID: "1", Attributes: map[string]string{"image": "b"}}}
	raw, err := json.Marshal(legacyEvent(m))
	if err != nil || !strings.Contains(string(raw), `"status":"start"`) || !strings.Contains(string(raw), `"from":"b"`) {
		t.Errorf("%s %v", raw, err)
	}
}

func TestShapeContainer(t *testing.T) {
	c := &container.InspectResponse{NetworkSettings: &container.NetworkSettings{Networks: map[string]*network.EndpointSettings{
		"bridge": {EndpointID: "e1"},
	}}}
	raw, err := json.Marshal(shapeContainer(c, 51))
	if err != nil || strings.Count(string(raw), `"EndpointID":"e1"`) != 2 {
		t.Errorf("%s %v", raw, err)
	}
	if raw, _ = json.Marshal(shapeContainer(c, 52)); strings.Count(string(raw), `"EndpointID":"e1"`) != 1 {
		t.Errorf("%s", raw)
	}
}

func FuzzCreate(f *testing.F) {
	f.Add([]byte(`{"Image":"x","HostConfig":{"NetworkMode":"default"}}`), 47)
	f.Add([]byte(`{"Image":"x","NetworkingConfig":{"EndpointsConfig":{"a":null}},"MacAddress":"02:42:ac:11:00:09"}`), 43)
	s := &Server{Backend: &fake{}, Log: slog.New(slog.DiscardHandler)}
	s.Init()
	f.Fuzz(func(t *testing.T, body []byte, v int) {
		path := "/v" + Version(v%(int(MaxVersion)+1)).String() + "/containers/create"
		s.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("POST", path, strings.NewReader(string(body))))
	})
}
