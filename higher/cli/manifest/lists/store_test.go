package lists

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/containerd/errdefs"
	"github.com/distribution/reference"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

func named(t *testing.T, s string) reference.Named {
	t.Helper()
	n, err := reference.ParseNormalizedNamed(s)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestStore(t *testing.T) {
	s := At(t.TempDir())
	list, image := named(t, "r.test:5/a/app:all"), named(t, "r.test:5/a/app:one")
	if _, err := s.List(list); !errdefs.IsNotFound(err) || err.Error() != "No such manifest: r.test:5/a/app:all" {
		t.Errorf("no list: %v", err)
	}
	if err := os.MkdirAll(s.dir(list), 0o755); err != nil { // by a client that was killed then
		t.Fatal(err)
	}
	if _, err := s.List(list); !errdefs.IsNotFound(err) {
		t.Errorf("an empty list: %v", err)
	}
	raw := []byte("{\n \"config\": {\"digest\": \"sha256:" + strings.Repeat("a", 64) + "\"}}")
	if err := s.Save(list, image, NewImage(image, ocispec.MediaTypeImageManifest, raw, nil)); err != nil {
		t.Fatal(err)
	}
	i, err := s.Get(list, image)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := i.Payload(); err != nil || string(got) != string(raw) {
		t.Errorf("payload %q, %v", got, err)
	}
	if got, err := i.Blobs(); err != nil || len(got) != 1 {
		t.Errorf("blobs %v, %v", got, err)
	}
	if got := s.Names(); !slices.Equal(got, []string{"r.test:5/a/app:all"}) {
		t.Errorf("names %q", got)
	}
	if got := s.Images(list); !slices.Equal(got, []string{"r.test:5/a/app:one"}) {
		t.Errorf("images %q", got)
	}
	if left, err := filepath.Glob(filepath.Join(s.root, ".new-*")); err != nil || len(left) > 0 {
		t.Errorf("left: %q, %v", left, err)
	}
	if err := s.Remove(list); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Get(list, image); !errdefs.IsNotFound(err) {
		t.Errorf("removed, but %v", err)
	}
}

// Names that could mean several lists are not completed.
func TestNames(t *testing.T) {
	for list, want := range map[string]string{
		"r.test/app:all": "r.test/app:all", "r.test/app:a-b": "", "r.test/app-a:b": "", "r.test/other:all": "", "r.test/app/x:all": "",
	} {
		s, image := At(t.TempDir()), named(t, "r.test/app:one")
		if err := s.Save(named(t, list), image, NewImage(image, DockerManifest, []byte("{}"), nil)); err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(s.Names(), " "); got != want {
			t.Errorf("%s is completed as %q", list, got)
		}
	}
}

// Files that are none of a list's are errors that name them.
func TestBroken(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"no JSON":     {"x", "cannot read "},
		"no name":     {`{"OCIManifest": {}}`, "it has no Ref"},
		"short name":  {`{"Ref": "app", "OCIManifest": {}}`, "cannot read "},
		"no manifest": {`{"Ref": "r.test/app:one"}`, "r.test/app:one has no payload"},
	} {
		t.Run(name, func(t *testing.T) {
			s, list := At(t.TempDir()), named(t, "r.test/app:all")
			if err := os.MkdirAll(s.dir(list), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(s.dir(list), "one"), []byte(c.text), 0o644); err != nil {
				t.Fatal(err)
			}
			if _, err := s.List(list); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v", err)
			}
			if got := s.Names(); len(got) > 0 {
				t.Errorf("names %q", got)
			}
		})
	}
}
