package contexts

import (
	"archive/tar"
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/containerd/errdefs"
)

func TestRoundTrip(t *testing.T) {
	s := At(t.TempDir())
	m := &Meta{Name: "far", Metadata: map[string]any{"Description": "d"}, Endpoints: map[string]Endpoint{"docker": {Host: "tcp://1.2.3.4:5"}}}
	if err := s.Put(m, TLS{"ca.pem": []byte("c")}); err != nil {
		t.Fatal(err)
	}
	// The folder that docker would look into.
	if _, err := os.Stat(filepath.Join(s.root, "meta", id("far"), "meta.json")); err != nil {
		t.Error(err)
	}
	var b bytes.Buffer
	if err := s.Export("far", &b); err != nil {
		t.Fatal(err)
	}
	if err := s.Import("near", &b); err != nil {
		t.Fatal(err)
	}
	got, err := s.Get("near")
	if err != nil || got.Name != "near" || got.Description() != "d" || got.Docker().Host != "tcp://1.2.3.4:5" {
		t.Errorf("%+v, %v", got, err)
	}
	if tls, err := s.TLS("near"); err != nil || string(tls["ca.pem"]) != "c" {
		t.Errorf("%v, %v", tls, err)
	}
	if all, err := s.List(); err != nil || len(all) != 2 || all[0].Name != "far" {
		t.Errorf("%v, %v", all, err)
	}
	if err := s.Remove("far"); err != nil {
		t.Error(err)
	}
	if err := s.Remove("far"); !errdefs.IsNotFound(err) {
		t.Errorf("removed twice: %v", err)
	}
}

// An archive is from anywhere: its names lead nowhere but into the context.
func TestImportStaysInside(t *testing.T) {
	for _, name := range []string{"../meta.json", "tls/docker/../../x", "tls/../x", "/etc/x", "tls/docker/..", "tls/x", `tls/docker/a\b`, "other"} {
		var b bytes.Buffer
		w := tar.NewWriter(&b)
		file(w, "meta.json", []byte("{}"), 0o600)
		file(w, name, []byte("x"), 0o600)
		w.Close()
		if err := At(t.TempDir()).Import("x1", &b); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
}

func TestCheckName(t *testing.T) {
	for name, good := range map[string]bool{"ab": true, "a.b-c_d+1": true, "": false, "default": false, "a": false, ".a": false, "a/b": false, "a b": false} {
		if err := CheckName(name); (err == nil) != good {
			t.Errorf("%q: %v", name, err)
		}
	}
}
