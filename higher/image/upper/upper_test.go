package upper

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// layer makes a directory of paths: a slash at the end for a directory, `!` before for a whiteout, `=` behind for an
// opaque directory.
func layer(t *testing.T, paths ...string) string {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("whiteouts are devices")
	}
	root := t.TempDir()
	for _, p := range paths {
		name := filepath.Join(root, strings.Trim(p, "!="))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		var err error
		switch {
		case strings.HasPrefix(p, "!"):
			err = unix.Mknod(name, unix.S_IFCHR, 0)
		case strings.HasSuffix(p, "="):
			if err = os.MkdirAll(name, 0o755); err == nil {
				err = unix.Setxattr(name, "trusted.overlay.opaque", []byte("y"), 0)
			}
		case strings.HasSuffix(p, "/"):
			err = os.MkdirAll(name, 0o755)
		default:
			err = os.WriteFile(name, []byte(p), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func TestChanges(t *testing.T) {
	for name, c := range map[string]struct {
		upper  []string
		lowers [][]string // the top one first
		want   string
	}{
		"nothing":                    {nil, [][]string{{"a"}}, ""},
		"new":                        {[]string{"a", "d/b"}, nil, "A /a,A /d,A /d/b"},
		"changed":                    {[]string{"d/a"}, [][]string{{"x"}, {"d/a"}}, "C /d,C /d/a"},
		"gone":                       {[]string{"!a", "d/", "!d/b"}, [][]string{{"a", "d/b"}}, "D /a,C /d,D /d/b"},
		"gone of nothing":            {[]string{"!a"}, [][]string{{"b"}}, ""},
		"new where it was gone":      {[]string{"a"}, [][]string{{"!a"}, {"a"}}, "A /a"},
		"below an opaque one":        {[]string{"d/a"}, [][]string{{"d="}, {"d/a"}}, "C /d,A /d/a"},
		"opaque":                     {[]string{"d=", "d/new", "d/same"}, [][]string{{"d/old", "d/same"}}, "C /d,D /d/old,A /d/new,A /d/same"},
		"opaque over a gone one":     {[]string{"d="}, [][]string{{"d/!a"}, {"d/a", "d/b"}}, "C /d,D /d/b"},
		"directory in place of file": {[]string{"a/b"}, [][]string{{"a"}, {"a/c"}}, "C /a,A /a/b"},
		"file hides what is below":   {[]string{"a/b"}, [][]string{{"a/"}, {"a"}, {"a/b"}}, "C /a,A /a/b"},
	} {
		t.Run(name, func(t *testing.T) {
			tree := &Tree{Upper: layer(t, c.upper...)}
			for _, l := range c.lowers {
				for i, p := range l {
					if dir, base, ok := strings.Cut(p, "/!"); ok {
						l[i] = "!" + dir + "/" + base
					}
				}
				tree.Lowers = append(tree.Lowers, layer(t, l...))
			}
			list, err := tree.Changes(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, change := range list {
				got = append(got, fmt.Sprintf("%c %s", "CAD"[change.Kind], change.Path))
			}
			if s := strings.Join(got, ","); s != c.want {
				t.Errorf("%q, not %q", s, c.want)
			}
		})
	}
}

// TestHostileUpper archives a directory in which a container has made what leads out of it.
func TestHostileUpper(t *testing.T) {
	outside := layer(t, "secret")
	root := layer(t, "d/")
	for _, err := range []error{
		os.Symlink(outside, filepath.Join(root, "link")),
		os.Symlink(outside+"/secret", filepath.Join(root, "d/file")),
		os.Symlink("/proc/self/root", filepath.Join(root, "proc")),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	var b bytes.Buffer
	if _, err := (&Tree{Upper: root}).Archive(context.Background(), &b); err != nil {
		t.Fatal(err)
	}
	tr := tar.NewReader(&b)
	for {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if h.Typeflag != tar.TypeSymlink && h.Typeflag != tar.TypeDir {
			t.Errorf("%s came along", h.Name)
		}
	}
}
