package image

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dhow-containers/dhow/higher/api"
)

// remove removes and tells what was said: `-name` for untagged, `!` for removed.
func (w *world) rm(name string, force bool) (string, error) {
	list, err := w.ImageDelete(context.Background(), name, force, true, nil)
	var out []string
	for _, d := range list {
		if d.Untagged != "" {
			out = append(out, "-"+d.Untagged)
		} else {
			out = append(out, "!")
		}
	}
	return strings.Join(out, " "), err
}

func TestDeleteRules(t *testing.T) {
	w := open(t, Options{})
	ctx := context.Background()
	w.mustLoad(two())
	img, err := w.Resolve(ctx, "two:1", nil)
	must(err)
	id := img.ID.String()
	hex := img.ID.Encoded()[:12]
	w.tag("two:1", "two:2")
	w.tag("two:1", "other:1")
	for _, step := range []struct {
		name  string
		force bool
		users []string
		runs  bool
		want  string
		err   string
	}{
		{name: "nosuch", err: "No such image: nosuch:latest"},
		{name: hex, err: "conflict: unable to delete " + hex + " (must be forced) - image is referenced in multiple repositories"},
		{name: "two:2", users: []string{"c1"}, runs: true, want: "-two:2"}, // not its last name
		{name: "other:1", want: "-other:1"},
		{name: "two:1", users: []string{"c1"}, err: `conflict: unable to delete two:1 (must be forced) - container c1 is using its referenced image ` + hex},
		{name: hex, users: []string{"c1"}, err: "conflict: unable to delete " + hex + " (must be forced) - image is being used by stopped container c1"},
		{name: id, users: []string{"c1"}, runs: true, force: true, err: "conflict: unable to delete " + hex + " (cannot be forced) - image is being used by running container c1"},
		{name: "two:1", users: []string{"c1"}, runs: true, force: true, want: "-two:1"}, // it stays, without a name
		{name: hex, want: "!"},
		{name: hex, err: "No such image: " + hex + ":latest"},
	} {
		w.inUse = map[string][]string{id: step.users}
		w.runs = map[string]bool{"c1": step.runs}
		got, err := w.rm(step.name, step.force)
		if got != step.want || fmt.Sprint(err) != or(step.err, "<nil>") {
			t.Errorf("%+v: got %q, %v", step, got, err)
		}
	}
	if left := leftovers(t, w.options.Root); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
	want := []string{"load " + id, "tag two:2", "tag other:1", "untag two:2", "untag other:1", "untag two:1", "delete " + id}
	if !slices.Equal(w.events, want) {
		t.Errorf("events %q", w.events)
	}
}

func TestDeleteOfUsedImage(t *testing.T) {
	w := open(t, Options{})
	w.mustLoad(two())
	w.container("c", "two:1")
	img, err := w.Resolve(context.Background(), "two:1", nil)
	must(err)
	if _, err := w.rm(img.ID.String(), true); err != nil {
		t.Fatal(err)
	}
	w.reopen()
	if read(t, w.mounted("c"), "etc/b") != "b" {
		t.Error("the container's layers went with the image")
	}
	must(w.Release(context.Background(), "c"))
	w.collect(w.in(context.Background()))
	if left := leftovers(t, w.options.Root); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
}

func TestNameMoves(t *testing.T) {
	w := open(t, Options{})
	ctx := context.Background()
	w.mustLoad(two(), base())
	w.tag("base:1", "two:1")
	list, err := w.ImageList(ctx, api.ImageListOptions{Filters: api.Filters{"dangling": {"true"}}})
	if err != nil || len(list) != 1 || len(list[0].RepoTags) != 0 {
		t.Fatalf("%+v, %v", list, err)
	}
	w.tag(list[0].ID, "back:1")
	if list, err = w.ImageList(ctx, api.ImageListOptions{Filters: api.Filters{"dangling": {"true"}}}); err != nil || len(list) != 0 {
		t.Errorf("%+v, %v", list, err)
	}
}

func TestListFilters(t *testing.T) {
	w := open(t, Options{})
	ctx := context.Background()
	old, newer := base(), two()
	old.made, newer.made = time.Unix(1e9, 0), time.Now().Add(-time.Hour)
	w.mustLoad(old, newer)
	w.tag("two:1", "localhost:5000/deep/two:x")
	for _, c := range []struct {
		filters api.Filters
		want    string
	}{
		{nil, "two:1,localhost:5000/deep/two:x base:1"},
		{api.Filters{"reference": {"tw*"}}, "two:1"},
		{api.Filters{"reference": {"two:1", "base"}}, "two:1 base:1"},
		{api.Filters{"reference": {"*/*/two"}}, "localhost:5000/deep/two:x"},
		{api.Filters{"label": {"a"}}, "two:1,localhost:5000/deep/two:x"},
		{api.Filters{"label": {"a=c"}}, ""},
		{api.Filters{"before": {"two:1"}}, "base:1"},
		{api.Filters{"since": {"base:1"}}, "two:1,localhost:5000/deep/two:x"},
		{api.Filters{"until": {"24h"}}, ""}, // as with Docker, it is about how long it has been here
		{api.Filters{"until": {"-1h"}}, "two:1,localhost:5000/deep/two:x base:1"},
		{api.Filters{"dangling": {"false"}, "label": {"a=b"}}, "two:1,localhost:5000/deep/two:x"},
	} {
		list, err := w.ImageList(ctx, api.ImageListOptions{Filters: c.filters, SharedSize: true})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, s := range list {
			slices.SortFunc(s.RepoTags, func(a, b string) int { return len(a) - len(b) })
			got = append(got, strings.Join(s.RepoTags, ","))
			if s.SharedSize != 0 || s.Size == 0 {
				t.Errorf("sizes of %+v", s)
			}
		}
		if s := strings.Join(got, " "); s != c.want {
			t.Errorf("%v: %q", c.filters, s)
		}
	}
	for _, f := range []api.Filters{{"nosuch": {"1"}}, {"dangling": {"maybe"}}, {"before": {"nosuch"}}, {"until": {"x"}}} {
		if _, err := w.ImageList(ctx, api.ImageListOptions{Filters: f}); err == nil {
			t.Errorf("%v: no error", f)
		}
	}
}

func TestSharedSizeAndUsage(t *testing.T) {
	w := open(t, Options{})
	ctx := context.Background()
	a, b := base(), base()
	b.names = []string{"b:1"}
	b.layers = append(b.layers, tarOf(file{name: "more", body: strings.Repeat("x", 10_000)}))
	w.mustLoad(a, b)
	list, err := w.ImageList(ctx, api.ImageListOptions{SharedSize: true})
	must(err)
	if len(list) != 2 || list[0].SharedSize == 0 || list[0].SharedSize != list[1].SharedSize {
		t.Errorf("%+v", list)
	}
	img, err := w.Resolve(ctx, "base:1", nil)
	must(err)
	w.inUse = map[string][]string{img.ID.String(): {"c"}}
	u, err := w.DiskUsage(ctx, true)
	if err != nil || u.TotalCount != 2 || u.ActiveCount != 1 || len(u.Items) != 2 || u.Reclaimable < 10_000 || u.Reclaimable >= u.TotalSize {
		t.Errorf("%+v, %v", u, err)
	}
}

func TestPrune(t *testing.T) {
	w := open(t, Options{})
	ctx := context.Background()
	a, b := two(), base()
	w.mustLoad(a, b)
	w.tag("base:1", "two:1") // two has no name now
	w.tag("base:1", "keep:1")
	report, err := w.ImagePrune(ctx, nil)
	if err != nil || len(report.ImagesDeleted) != 1 || report.SpaceReclaimed == 0 {
		t.Errorf("%+v, %v", report, err)
	}
	w.mustLoad(a)
	img, err := w.Resolve(ctx, "base:1", nil)
	must(err)
	w.inUse = map[string][]string{img.ID.String(): {"c"}}
	if report, err = w.ImagePrune(ctx, api.Filters{"dangling": {"false"}, "label": {"nosuch"}}); err != nil || len(report.ImagesDeleted) != 0 {
		t.Errorf("%+v, %v", report, err)
	}
	if report, err = w.ImagePrune(ctx, api.Filters{"dangling": {"false"}}); err != nil || len(report.ImagesDeleted) != 2 {
		t.Errorf("%+v, %v", report, err)
	}
	if list, err := w.ImageList(ctx, noList); err != nil || len(list) != 1 || list[0].ID != img.ID.String() {
		t.Errorf("%+v, %v", list, err)
	}
}
