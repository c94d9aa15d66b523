package apparmor

import (
	"context"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite testdata")

func TestProfile(t *testing.T) {
	for file, text := range map[string]string{
		"host.txt":     profile(Default, Unconfined),
		"confined.txt": profile(Default, `/usr/local/bin/dhowd*`),
	} {
		path := filepath.Join("testdata", file)
		if *update {
			if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil || string(want) != text {
			t.Errorf("%s differs (-update and git diff show how), %v:\n%s", path, err, text)
		}
	}
}

func TestEnsure(t *testing.T) {
	list := filepath.Join(t.TempDir(), "profiles")
	write := func(text string) {
		if err := os.WriteFile(list, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	parsed := 0
	l := &Loader{loaded: list, parser: func(_ context.Context, text string) error {
		parsed++
		if !strings.HasPrefix(text, `profile "docker-default" `) {
			t.Errorf("it loads %q", text)
		}
		write("docker-default (enforce)\n")
		return nil
	}}
	ensure := func(name string, want int) {
		t.Helper()
		if err := l.Ensure(t.Context(), name); err != nil || parsed != want {
			t.Errorf("%s: loaded %d times, %v; want %d", name, parsed, err, want)
		}
	}
	write("other-docker-default (enforce)\ndocker-default-not (complain)\n")
	ensure("mine", 0)
	ensure(Unconfined, 0)
	ensure("", 0)
	ensure(Default, 1)
	ensure(Default, 1)
	write("")
	ensure(Default, 2) // somebody has unloaded it
	write("a profile (enforce)\ndocker-default (complain)\n")
	ensure(Default, 2) // somebody else's
}

func TestEnsureFails(t *testing.T) {
	cause := errors.New("no parser")
	l := &Loader{loaded: os.DevNull, parser: func(context.Context, string) error { return cause }}
	err := l.Ensure(t.Context(), Default)
	if !errors.Is(err, cause) || err.Error() != "AppArmor enabled on system but the docker-default profile could not be loaded: no parser" {
		t.Error(err)
	}
	l.loaded = "/nowhere"
	if err := l.Ensure(t.Context(), Default); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}

func TestLabels(t *testing.T) {
	for label, want := range map[string]string{
		"unconfined\n": "unconfined", "docker-default (enforce)\n": "docker-default", "a b (c) (complain)": "a b (c)",
		"a//&b (enforce)\x00": "a//&b", "": "", "(x)": "(x)",
	} {
		if got := withoutMode(label); got != want {
			t.Errorf("%q: %q, want %q", label, got, want)
		}
	}
}
