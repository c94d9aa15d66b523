package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/dhow-containers/dhow/runtime/container"
)

// newBundle makes a directory with a config.json.
func newBundle(t *testing.T, name string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), name)
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "config.json"), []byte("{}"), 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestResolveBundle(t *testing.T) {
	web := newBundle(t, "web:1 é")
	parent := filepath.Dir(web)
	cwd := newBundle(t, "cwd")
	t.Chdir(cwd)
	if err := os.Mkdir("plain", 0o755); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ name, arg, bundle, id, dir string }{
		{"bundle as argument", web, "", "web-1---", web},
		{"trailing slash", web + "/", "", "web-1---", web},
		{"dot", ".", "", "cwd", cwd},
		{"id and flag", "x", web, "x", web},
		{"flag makes any argument an id", web, cwd, web, cwd},
		{"id, current directory", "x", "", "x", cwd},
		{"directory without config.json", "plain", "", "plain", cwd},
		{"unclean path", parent + "/./" + filepath.Base(web), "", "web-1---", web},
	} {
		t.Run(tt.name, func(t *testing.T) {
			id, dir, err := resolveBundle(tt.arg, tt.bundle)
			if err != nil || id != tt.id || dir != tt.dir {
				t.Errorf("got %q, %q, %v; want %q, %q", id, dir, err, tt.id, tt.dir)
			}
		})
	}
}

func TestSanitiseID(t *testing.T) {
	for name, want := range map[string]string{"a_B+1.-": "a_B+1.-", "a b/c": "a-b-c", ".": "", "..": "", "...": "..."} {
		if got := sanitiseID(name); got != want {
			t.Errorf("sanitiseID(%q) = %q, want %q", name, got, want)
		}
	}
}

func TestCreateRunPlan(t *testing.T) {
	b := newBundle(t, "web")
	all := container.CreateOptions{
		Bundle: b, ConsoleSocket: "/s", PidFile: "p", PreserveFDs: 2, NoPivot: true, NoNewKeyring: true,
	}
	const flags = " --console-socket /s --pid-file p --preserve-fds 2 --no-pivot --no-new-keyring "
	expect(t, &fakeStore{}, "create "+b, "create", "web", container.CreateOptions{Bundle: b})
	expect(t, &fakeStore{}, "create -b "+b+flags+"x", "create", "x", all)
	expect(t, &fakeStore{}, "create x -b "+b+flags, "create", "x", all)
	expect(t, &fakeStore{}, "run "+b, "run", "web", container.RunOptions{CreateOptions: container.CreateOptions{Bundle: b}})
	expect(t, &fakeStore{code: 3}, "run -d --keep --no-subreaper --bundle "+b+flags+"x", "run", "x",
		container.RunOptions{CreateOptions: all, Detach: true, Keep: true, NoSubreaper: true})
	expect(t, &fakeStore{}, "plan "+b, "plan", "web", container.CreateOptions{Bundle: b})
	expect(t, &fakeStore{}, "plan --format json "+b, "plan", "web", container.CreateOptions{Bundle: b})
}
