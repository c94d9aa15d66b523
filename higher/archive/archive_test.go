package archive

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/containerd/errdefs"
	"github.com/dhow-containers/dhow/higher/volume"
	"golang.org/x/sys/unix"
)

func needRoot(t *testing.T) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("needs root: it mounts, or gives files to others")
	}
}

// tree makes files from lines: "dir/" "file=text" "link->target" "new=>old" for a hard link.
func tree(t *testing.T, dir string, lines ...string) {
	t.Helper()
	for _, l := range lines {
		var err error
		if name, target, ok := strings.Cut(l, "->"); ok {
			err = os.Symlink(target, filepath.Join(dir, name))
		} else if name, old, ok := strings.Cut(l, "=>"); ok {
			err = os.Link(filepath.Join(dir, old), filepath.Join(dir, name))
		} else if name, text, ok := strings.Cut(l, "="); ok {
			err = os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644)
		} else {
			err = os.MkdirAll(filepath.Join(dir, l), 0o755)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// rooted makes a root file system below a directory that has something beside it.
func rooted(t *testing.T, lines ...string) (outside string, root *os.File) {
	t.Helper()
	outside = t.TempDir()
	dir := filepath.Join(outside, "root")
	tree(t, outside, "root/", "secret=host")
	tree(t, dir, lines...)
	root, err := os.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { root.Close() })
	return outside, root
}

// listing is what an archive holds, a line for each.
func listing(t *testing.T, r io.Reader) string {
	t.Helper()
	var all []string
	for tr := tar.NewReader(r); ; {
		h, err := tr.Next()
		if err == io.EOF {
			return strings.Join(all, " ")
		}
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(tr)
		if err != nil {
			t.Fatal(err)
		}
		l := h.Name
		switch h.Typeflag {
		case tar.TypeReg:
			l += "=" + string(text)
		case tar.TypeSymlink:
			l += "->" + h.Linkname
		case tar.TypeLink:
			l += "=>" + h.Linkname
		}
		all = append(all, l)
	}
}

func TestStat(t *testing.T) {
	_, root := rooted(t, "etc/", "etc/hosts=text", "var/", "var/run->/run", "run/", "run/x=1", "abs->/var/run/x",
		"up->../../../../secret", "gone->nowhere/at", "loop->loop", "dir->etc")
	for path, want := range map[string]string{
		"etc/hosts":  "hosts - 4",
		"/etc":       "etc d",
		"/etc/":      "etc d",
		"/etc/.":     ". d",
		"/":          "/ d",
		"":           "/ d",
		"../../etc/": "etc d",
		"/var/run/x": "x - 1",
		"/var/run":   "run L /run",
		"/var/run/":  "run d",
		"/abs":       "abs L /run/x",
		"/up":        "up L /secret",
		"/gone":      "gone L /nowhere/at",
		"/dir":       "dir L /etc",
	} {
		s, err := Stat(root, path)
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		got := s.Name + " " + s.Mode.Type().String()[:1]
		if s.Mode.IsRegular() {
			got += fmt.Sprint(" ", s.Size)
		}
		if s.LinkTarget != "" {
			got += " " + s.LinkTarget
		}
		if got != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
	for path, class := range map[string]func(error) bool{
		"/none": errdefs.IsNotFound, "/etc/hosts/": errdefs.IsInvalidArgument, "/etc/hosts/x": errdefs.IsInvalidArgument,
		"/gone/x": errdefs.IsNotFound, "/loop/x": errdefs.IsInvalidArgument, "/loop": errdefs.IsInvalidArgument, "/up/": errdefs.IsNotFound,
	} {
		if _, err := Stat(root, path); !class(err) {
			t.Errorf("%s: %v", path, err)
		}
	}
}

func TestWrite(t *testing.T) {
	_, root := rooted(t, "d/", "d/f=text", "d/g=>d/f", "d/l->f", "d/s/", "d/s/x=", "to->d", "up->../../secret")
	if err := unix.Mknod(filepath.Join(root.Name(), "d/socket"), unix.S_IFSOCK|0o600, 0); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"/d":    "d/ d/f=text d/g=>d/f d/l->f d/s/ d/s/x=",
		"/d/":   "d/ d/f=text d/g=>d/f d/l->f d/s/ d/s/x=",
		"/d/.":  "./ ./f=text ./g=>./f ./l->f ./s/ ./s/x=",
		"/d/f":  "f=text",
		"/d/l":  "l->f",
		"/to":   "to->d",
		"/to/s": "s/ s/x=",
		"/to/":  "to/ to/f=text to/g=>to/f to/l->f to/s/ to/s/x=",
		"/up":   "up->../../secret",
		"/":     "/ /d/ /d/f=text /d/g=>/d/f /d/l->f /d/s/ /d/s/x= /to->d /up->../../secret",
	} {
		var out bytes.Buffer
		if err := Write(root, path, nil, &out); err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		if got := listing(t, &out); got != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
	for _, path := range []string{"/none", "/up/"} {
		if err := Write(root, path, nil, io.Discard); !errdefs.IsNotFound(err) {
			t.Errorf("%s: %v", path, err)
		}
	}
}

func TestExport(t *testing.T) {
	_, root := rooted(t, "bin/", "bin/sh=x", "bin/ash=>bin/sh", "etc->bin")
	var out bytes.Buffer
	if err := Export(root, nil, &out); err != nil {
		t.Fatal(err)
	}
	if got, want := listing(t, &out), "bin/ bin/ash=x bin/sh=>bin/ash etc->bin"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// A file whose length changes while it is read has the one of its header.
func TestWriteChanging(t *testing.T) {
	_, root := rooted(t, "f=0123456789")
	f, err := open(root, "/f")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for size, want := range map[int64]string{4: "0123", 12: "0123456789\x00\x00"} {
		var out bytes.Buffer
		a := newArchiver(nil, &out)
		if err := a.content(f, &tar.Header{Name: "f", Typeflag: tar.TypeReg, Size: size}); err != nil {
			t.Fatal(err)
		}
		if err := a.tar.Close(); err != nil {
			t.Fatal(err)
		}
		if got := listing(t, &out); got != "f="+want {
			t.Errorf("%q", got)
		}
	}
}

// packed makes an archive of headers; the content of a file is its name.
func packed(t *testing.T, list ...*tar.Header) io.Reader {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, h := range list {
		if h.Typeflag == 0 {
			h.Typeflag = tar.TypeReg
		}
		if h.Typeflag == tar.TypeReg {
			h.Size = int64(len(h.Name))
		}
		if h.Mode == 0 {
			h.Mode = 0o644
		}
		if h.Uid == 0 && h.Gid == 0 {
			h.Uid, h.Gid = os.Getuid(), os.Getgid()
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if h.Typeflag == tar.TypeReg {
			if _, err := io.WriteString(w, h.Name); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return &out
}

func read(t *testing.T, root *os.File, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root.Name(), name))
	if err != nil {
		t.Error(err)
	}
	return string(text)
}

func TestExtract(t *testing.T) {
	_, root := rooted(t, "d/", "d/old=old", "d/l->/other", "other/", "to->d", "d/full/", "d/full/x=")
	then := time.Unix(1000000000, 0)
	err := Extract(root, "/to", ExtractOptions{}, packed(t,
		&tar.Header{Name: "old"},
		&tar.Header{Name: "new/", Typeflag: tar.TypeDir, Mode: 0o750, ModTime: then},
		&tar.Header{Name: "new/f", Mode: 0o4755},
		&tar.Header{Name: "new/h", Typeflag: tar.TypeLink, Linkname: "/new/f"},
		&tar.Header{Name: "made/up/f"},
		&tar.Header{Name: "s", Typeflag: tar.TypeSymlink, Linkname: "/etc/passwd"},
		&tar.Header{Name: "fifo", Typeflag: tar.TypeFifo},
		&tar.Header{Name: "full"},
	))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"d/old": "old", "d/new/f": "new/f", "d/new/h": "new/f", "d/made/up/f": "made/up/f", "d/full": "full"} {
		if got := read(t, root, name); got != want {
			t.Errorf("%s: %q", name, got)
		}
	}
	if st, err := os.Stat(filepath.Join(root.Name(), "d/new")); err != nil || !st.ModTime().Equal(then) || st.Mode().Perm() != 0o750 {
		t.Error(st, err)
	}
	if st, err := os.Stat(filepath.Join(root.Name(), "d/new/f")); err != nil || st.Mode() != fs.ModeSetuid|0o755 {
		t.Error(st.Mode(), err)
	}
}

func TestExtractInto(t *testing.T) {
	_, root := rooted(t, "f=", "v/", "v/sub/", "ro/", "link->/ro/")
	mounts := []volume.Mount{{Destination: "/v", RW: true}, {Destination: "/v/sub"}, {Destination: "/ro"}}
	for path, words := range map[string]string{
		"/none":  "no such file or directory",
		"/f":     "extraction point is not a directory",
		"/ro":    "mounted volume is marked read-only",
		"/link":  "mounted volume is marked read-only",
		"/v/sub": "mounted volume is marked read-only",
		"/":      "container rootfs is marked read-only",
	} {
		err := Extract(root, path, ExtractOptions{Mounts: mounts, ReadOnly: true}, packed(t, &tar.Header{Name: "x"}))
		if err == nil || !strings.Contains(err.Error(), words) {
			t.Errorf("%s: %v", path, err)
		}
	}
	if err := Extract(root, "/v", ExtractOptions{Mounts: mounts, ReadOnly: true}, packed(t, &tar.Header{Name: "x"})); err != nil {
		t.Error(err)
	}
}

func TestNoOverwriteDirNonDir(t *testing.T) {
	_, root := rooted(t, "d/", "f=text")
	for _, h := range []*tar.Header{{Name: "d"}, {Name: "f/", Typeflag: tar.TypeDir}} {
		err := Extract(root, "/", ExtractOptions{NoOverwriteDirNonDir: true}, packed(t, h))
		if !errdefs.IsInvalidArgument(err) || !strings.Contains(err.Error(), "cannot overwrite") {
			t.Error(h.Name, err)
		}
	}
	if read(t, root, "f") != "text" {
		t.Error("it is gone")
	}
}

func TestExtractOwner(t *testing.T) {
	needRoot(t)
	_, root := rooted(t)
	err := Extract(root, "/", ExtractOptions{Owner: &Owner{10, 20}}, packed(t, &tar.Header{Name: "a/b", Mode: 0o2755}))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"a", "a/b"} {
		var st unix.Stat_t
		if err := unix.Lstat(filepath.Join(root.Name(), name), &st); err != nil || st.Uid != 10 || st.Gid != 20 {
			t.Error(name, st, err)
		}
	}
	if st, err := os.Stat(filepath.Join(root.Name(), "a/b")); err != nil || st.Mode()&fs.ModeSetgid == 0 {
		t.Error("the change of owner took the mode", st, err)
	}
}

// What an archive or a container does to have something written or linked outside.
func TestHostileArchives(t *testing.T) {
	up := strings.Repeat("../", 8)
	for name, list := range map[string][]*tar.Header{
		"dots":              {{Name: "../evil"}},
		"dots inside":       {{Name: "a/../../evil"}},
		"absolute":          {{Name: "/evil"}},
		"parent link":       {{Name: "l", Typeflag: tar.TypeSymlink, Linkname: ".."}, {Name: "l/evil"}},
		"far link":          {{Name: "l", Typeflag: tar.TypeSymlink, Linkname: up + "tmp"}, {Name: "l/evil"}},
		"absolute link":     {{Name: "l", Typeflag: tar.TypeSymlink, Linkname: "/tmp"}, {Name: "l/evil"}},
		"magic link":        {{Name: "l", Typeflag: tar.TypeSymlink, Linkname: "/proc/self/cwd"}, {Name: "l/evil"}},
		"file over link":    {{Name: "l", Typeflag: tar.TypeSymlink, Linkname: "../secret"}, {Name: "l"}},
		"hard link out":     {{Name: "h", Typeflag: tar.TypeLink, Linkname: "../secret"}},
		"hard link by link": {{Name: "l", Typeflag: tar.TypeSymlink, Linkname: ".."}, {Name: "h", Typeflag: tar.TypeLink, Linkname: "l/secret"}, {Name: "h"}},
		"hard link to link": {{Name: "l", Typeflag: tar.TypeSymlink, Linkname: "../secret"}, {Name: "h", Typeflag: tar.TypeLink, Linkname: "l"}, {Name: "h"}},
		"dir over link":     {{Name: "l", Typeflag: tar.TypeSymlink, Linkname: ".."}, {Name: "l/", Typeflag: tar.TypeDir, Mode: 0o777}, {Name: "l/evil"}},
		"times by link":     {{Name: "l/", Typeflag: tar.TypeDir, ModTime: time.Unix(1, 0)}, {Name: "l", Typeflag: tar.TypeSymlink, Linkname: ".."}},
		"self":              {{Name: ".", Typeflag: tar.TypeDir, Mode: 0o777}, {Name: "./", Typeflag: tar.TypeDir}},
	} {
		t.Run(name, func(t *testing.T) {
			outside, root := rooted(t)
			before, err := os.Stat(outside)
			if err != nil {
				t.Fatal(err)
			}
			err = Extract(root, "/", ExtractOptions{}, packed(t, list...))
			if name == "dots" && !errdefs.IsInvalidArgument(err) {
				t.Error(err)
			}
			if text, err := os.ReadFile(filepath.Join(outside, "secret")); err != nil || string(text) != "host" {
				t.Errorf("%q, %v", text, err)
			}
			for _, evil := range []string{filepath.Join(outside, "evil"), "/tmp/evil", "/evil", "evil"} {
				if _, err := os.Lstat(evil); !errors.Is(err, fs.ErrNotExist) {
					t.Error(evil, err)
				}
			}
			after, err := os.Stat(outside)
			if err != nil || !after.ModTime().Equal(before.ModTime()) || after.Mode() != before.Mode() {
				t.Error(after, err)
			}
		})
	}
}

// A directory that is replaced is emptied by descriptors: a link in it is removed, not followed.
func TestRemoveAllFollowsNothing(t *testing.T) {
	outside, root := rooted(t, "d/", "d/l->../../other", "d/sub/", "d/sub/x=")
	tree(t, outside, "other/", "other/keep=1")
	if err := Extract(root, "/", ExtractOptions{}, packed(t, &tar.Header{Name: "d"})); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(outside, "other/keep")); err != nil {
		t.Error(err)
	}
}

func TestCompressed(t *testing.T) {
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	if _, err := io.Copy(z, packed(t, &tar.Header{Name: "x"})); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	_, root := rooted(t)
	if err := Extract(root, "/", ExtractOptions{}, &out); err != nil || read(t, root, "x") != "x" {
		t.Error(err)
	}
	for _, bad := range []string{"\xfd7zXZ\x00", "not an archive, but long enough to be looked at", "\x1f\x8b\x08broken"} {
		if err := Extract(root, "/", ExtractOptions{}, strings.NewReader(bad)); !errdefs.IsInvalidArgument(err) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	if err := Extract(root, "/", ExtractOptions{}, strings.NewReader("")); err != nil {
		t.Error("an empty archive:", err)
	}
}

func FuzzExtract(f *testing.F) {
	var t testing.T
	for _, list := range [][]*tar.Header{
		{{Name: "a/b"}, {Name: "l", Typeflag: tar.TypeSymlink, Linkname: ".."}, {Name: "l/x"}},
		{{Name: "d/", Typeflag: tar.TypeDir}, {Name: "h", Typeflag: tar.TypeLink, Linkname: "d"}},
	} {
		text, err := io.ReadAll(packed(&t, list...))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, archive []byte) {
		outside, root := rooted(t, "to->/", "d/")
		_ = Extract(root, "/", ExtractOptions{Owner: &Owner{os.Getuid(), os.Getgid()}}, bytes.NewReader(archive)) // whatever it says
		entries, err := os.ReadDir(outside)
		if err != nil || len(entries) != 2 {
			t.Error(entries, err)
		}
		if text, err := os.ReadFile(filepath.Join(outside, "secret")); err != nil || string(text) != "host" {
			t.Errorf("%q, %v", text, err)
		}
	})
}
