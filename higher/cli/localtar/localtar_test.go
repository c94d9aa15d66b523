package localtar

import (
	"archive/tar"
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

func archive(entries ...tar.Header) *bytes.Buffer {
	var b bytes.Buffer
	t := tar.NewWriter(&b)
	for _, h := range entries {
		if h.Typeflag == 0 {
			h.Typeflag, h.Size = tar.TypeReg, 4
		}
		h.Mode = 0o755
		if err := t.WriteHeader(&h); err != nil {
			panic(err)
		}
		if h.Typeflag == tar.TypeReg {
			t.Write([]byte("evil"))
		}
	}
	t.Close()
	return &b
}

// Nothing in an archive from a container is written outside the folder that it is copied to.
func TestExtractStaysInside(t *testing.T) {
	for name, entries := range map[string][]tar.Header{
		"parent":             {{Name: "../evil"}},
		"deep parent":        {{Name: "a/../../evil"}},
		"link to parent":     {{Name: "l", Typeflag: tar.TypeSymlink, Linkname: ".."}, {Name: "l/evil"}},
		"absolute link":      {{Name: "l", Typeflag: tar.TypeSymlink, Linkname: "ABOVE"}, {Name: "l/evil"}},
		"link as the file":   {{Name: "l", Typeflag: tar.TypeSymlink, Linkname: "../evil"}, {Name: "l"}},
		"hard link":          {{Name: "l", Typeflag: tar.TypeLink, Linkname: "../secret"}, {Name: "l"}},
		"folder by link":     {{Name: "l", Typeflag: tar.TypeSymlink, Linkname: ".."}, {Name: "l/evil/", Typeflag: tar.TypeDir}},
		"pipe by link":       {{Name: "l", Typeflag: tar.TypeSymlink, Linkname: ".."}, {Name: "l/evil", Typeflag: tar.TypeFifo}},
		"mode of the parent": {{Name: "../", Typeflag: tar.TypeDir}},
	} {
		t.Run(name, func(t *testing.T) {
			above := t.TempDir()
			dir := filepath.Join(above, "to")
			if err := os.Mkdir(dir, 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(above, "secret"), []byte("good"), 0o600); err != nil {
				t.Fatal(err)
			}
			for i := range entries {
				if entries[i].Linkname == "ABOVE" {
					entries[i].Linkname = above
				}
			}
			Extract(archive(entries...), dir, false)
			if _, err := os.Lstat(filepath.Join(above, "evil")); err == nil {
				t.Error("a file outside was made")
			}
			if data, _ := os.ReadFile(filepath.Join(above, "secret")); string(data) != "good" {
				t.Errorf("a file outside was changed: %q", data)
			}
		})
	}
}

func TestExtractReplaces(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "d"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "f"), []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Extract(archive(tar.Header{Name: "f"}), dir, false); err != nil {
		t.Error(err)
	}
	if data, _ := os.ReadFile(filepath.Join(dir, "f")); string(data) != "evil" {
		t.Errorf("f has %q", data)
	}
	if Extract(archive(tar.Header{Name: "d"}), dir, false) == nil {
		t.Error("a file has replaced a folder")
	}
	if Extract(archive(tar.Header{Name: "f/", Typeflag: tar.TypeDir}), dir, false) == nil {
		t.Error("a folder has replaced a file")
	}
}

// Where cp(1) would put things.
func TestPlace(t *testing.T) {
	file, folder := Entry{Path: "/s/f", Exists: true}, Entry{Path: "/s/d", Exists: true, Dir: true}
	content := Entry{Path: "/s/d/.", Exists: true, Dir: true}
	for _, c := range []struct {
		from, to      Entry
		dir, old, new string
	}{
		{file, Entry{Path: "/t", Exists: true, Dir: true}, "/t", "", ""},
		{file, Entry{Path: "/t/g", Exists: true}, "/t", "f", "g"},
		{file, Entry{Path: "/t/g"}, "/t", "f", "g"},
		{folder, Entry{Path: "/t/n"}, "/t", "d", "n"},
		{content, Entry{Path: "/t/n"}, "/t", ".", "n"},
		{content, Entry{Path: "/t", Exists: true, Dir: true}, "/t", "", ""},
	} {
		dir, before, after, err := Place(c.from, c.to)
		if err != nil || dir != c.dir || before != c.old || after != c.new {
			t.Errorf("%v to %v: %q %q→%q, %v", c.from, c.to, dir, before, after, err)
		}
	}
	if _, _, _, err := Place(folder, Entry{Path: "/t/g", Exists: true}); err == nil {
		t.Error("a folder goes over a file")
	}
	if _, _, _, err := Place(file, Entry{Path: "/t/g/"}); err == nil {
		t.Error("a file becomes a folder")
	}
}

func TestWriteAndExtract(t *testing.T) {
	from, to := t.TempDir(), t.TempDir()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(os.MkdirAll(filepath.Join(from, "d/sub"), 0o750))
	must(os.WriteFile(filepath.Join(from, "d/sub/f"), []byte("x"), 0o640))
	must(os.Link(filepath.Join(from, "d/sub/f"), filepath.Join(from, "d/hard")))
	must(os.Symlink("sub/f", filepath.Join(from, "d/soft")))
	e, err := Source(filepath.Join(from, "d"), false)
	must(err)
	var b bytes.Buffer
	must(Write(e, &b))
	must(Extract(&b, to, false))
	a, err := os.Stat(filepath.Join(to, "d/hard"))
	must(err)
	other, err := os.Stat(filepath.Join(to, "d/soft"))
	must(err)
	if !os.SameFile(a, other) || a.Mode().Perm() != 0o640 {
		t.Errorf("not one file with its mode: %v, %v", a, other)
	}
}
