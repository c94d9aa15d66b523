package image

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/dhow-containers/dhow/higher/api"
	"github.com/moby/moby/api/types/registry"
)

func TestSearch(t *testing.T) {
	f := startFake(t)
	f.on(func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path != "/v1/search" {
			return false
		}
		if r.URL.Query().Get("q") != "box" || r.URL.Query().Get("n") != "25" {
			t.Errorf("asked for %s", r.URL)
		}
		_ = json.NewEncoder(w).Encode(registry.SearchResults{Results: []registry.SearchResult{
			{Name: "busybox", StarCount: 10, IsOfficial: true}, {Name: "box", StarCount: 1},
		}})
		return true
	})
	w := open(t, Options{})
	ctx := context.Background()
	for _, c := range []struct {
		filters api.Filters
		want    string
	}{
		{nil, "busybox box"},
		{api.Filters{"is-official": {"true"}}, "busybox"},
		{api.Filters{"is-official": {"false"}}, "box"},
		{api.Filters{"stars": {"5"}}, "busybox"},
	} {
		list, err := w.ImageSearch(ctx, f.addr()+"/box", 0, c.filters, nil)
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, r := range list {
			names = append(names, r.Name)
		}
		if got := strings.Join(names, " "); got != c.want {
			t.Errorf("%v: %q", c.filters, got)
		}
	}
	if _, err := w.ImageSearch(ctx, f.addr()+"/box", 101, nil, nil); err == nil || err.Error() != "limit 101 is outside the range of [1, 100]" {
		t.Errorf("got %v", err)
	}
	if _, err := w.ImageSearch(ctx, "127.0.0.1:1/box", 0, nil, nil); err == nil || !strings.Contains(err.Error(), `Get "https://127.0.0.1:1/`) {
		t.Errorf("got %v", err)
	}
	if _, err := w.ImageSearch(ctx, f.addr()+"/box", 0, api.Filters{"x": {"1"}}, nil); err == nil {
		t.Error("no error for an unknown filter")
	}
}

func TestServerDomain(t *testing.T) {
	for address, want := range map[string]string{
		"": hub, "https://index.docker.io/v1/": hub, "registry-1.docker.io": hub, "127.0.0.1:5000": "127.0.0.1:5000",
		"https://registry.test/v2/": "registry.test", "http://localhost:5000": "localhost:5000",
	} {
		if got := serverDomain(address); got != want {
			t.Errorf("%q: %q", address, got)
		}
	}
}

func TestImport(t *testing.T) {
	w := open(t, Options{})
	ctx := context.Background()
	for _, pack := range []func([]byte) []byte{func(b []byte) []byte { return b }, gzipped, zstded} {
		var lines []string
		o := api.ImportOptions{Repo: "imported", Tag: "1", Message: "why", Changes: []string{"CMD [\"/x\"]", "ENV A=b"}}
		if err := w.ImageImport(ctx, o, strings.NewReader(string(pack(two().layers[0]))), collect(&lines)); err != nil {
			t.Fatal(err)
		}
		img, err := w.Resolve(ctx, "imported:1", nil)
		if err != nil || len(lines) != 1 || lines[0] != img.ID.String() {
			t.Fatalf("%v, %v, %v", lines, img, err)
		}
		if c := img.Config.Config; !slices.Equal(c.Cmd, []string{"/x"}) || !slices.Equal(c.Env, []string{"A=b"}) {
			t.Errorf("%+v", c)
		}
	}
	w.container("c", "imported:1")
	if read(t, w.mounted("c"), "etc/a") != "a" {
		t.Error("wrong file")
	}
	if err := w.ImageImport(ctx, api.ImportOptions{}, strings.NewReader("no archive at all, but long enough for a header"), collect(new([]string))); err == nil {
		t.Error("imported what is no archive")
	}
	if err := w.ImageImport(ctx, api.ImportOptions{Changes: []string{"RUN x"}}, strings.NewReader(""), collect(new([]string))); err == nil {
		t.Error("imported with a change that cannot be")
	}
}

func TestIndexWithoutPlatforms(t *testing.T) {
	f := startFake(t)
	i, l := small()
	one := f.add("single:1", i, l)
	one.Platform = nil
	f.index("image:1", one)
	w := open(t, Options{})
	name := f.addr() + "/image:1"
	if _, err := w.pull(name, false); err != nil {
		t.Fatal(err)
	}
	list, err := w.ImageInspect(context.Background(), name, api.ImageInspectOptions{Manifests: true})
	if err != nil || len(list.Manifests) != 1 || !list.Manifests[0].Available || list.Manifests[0].ImageData.Size.Unpacked == 0 {
		t.Errorf("%+v, %v", list, err)
	}
}
