package config

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/moby/moby/api/types/registry"
)

func TestSaveKeepsWhatItDoesNotKnow(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "config.json")
	if err := os.WriteFile(path, []byte(`{"plugins":{"x":{"y":"z"}},"psFormat":"p"}`), 0o644); err != nil {
		t.Fatal(err)
	}
	f, err := Load(dir)
	if err != nil || f.String("psFormat") != "p" {
		t.Fatalf("%v", err)
	}
	if _, err := f.Store(registry.AuthConfig{ServerAddress: "r", Username: "u", Password: "p:w"}); err != nil {
		t.Fatal(err)
	}
	data, _ := os.ReadFile(path)
	for _, want := range []string{`"y": "z"`, `"psFormat": "p"`, `"auth": "dTpwOnc="`} {
		if !strings.Contains(string(data), want) {
			t.Errorf("no %s in %s", want, data)
		}
	}
	if s, _ := os.Stat(path); s.Mode().Perm() != 0o600 {
		t.Errorf("others may read the passwords: %v", s.Mode())
	}
	f, _ = Load(dir)
	if a, err := f.Credentials("r"); err != nil || a.Username != "u" || a.Password != "p:w" {
		t.Errorf("%+v, %v", a, err)
	}
	if a, err := f.Credentials("other"); err != nil || a != (registry.AuthConfig{}) {
		t.Errorf("%+v, %v", a, err)
	}
	if err := f.Erase("r"); err != nil {
		t.Error(err)
	}
	if a, _ := f.Credentials("r"); a.Username != "" {
		t.Errorf("still there: %+v", a)
	}
}

const helperScript = `#!/bin/sh
case $1 in
get) read server; [ "$server" = r ] && echo '{"Username":"<token>","Secret":"t"}' || { echo credentials not found in native keychain; exit 1; };;
store) cat > "$(dirname "$0")/stored";;
esac
`

func TestHelper(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "docker-credential-test"), []byte(helperScript), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "config.json"), []byte(`{"credsStore":"none","credHelpers":{"r":"test","q":"test"}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	f, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	if a, err := f.Credentials("r"); err != nil || a.IdentityToken != "t" || a.Username != "" {
		t.Errorf("%+v, %v", a, err)
	}
	if a, err := f.Credentials("q"); err != nil || a != (registry.AuthConfig{}) {
		t.Errorf("%+v, %v", a, err)
	}
	if inFile, err := f.Store(registry.AuthConfig{ServerAddress: "r", Username: "u", Password: "secret"}); err != nil || inFile {
		t.Errorf("%v, %v", inFile, err)
	}
	stored, _ := os.ReadFile(filepath.Join(dir, "stored"))
	file, _ := os.ReadFile(f.Path())
	if !strings.Contains(string(stored), "secret") || strings.Contains(string(file), "secret") {
		t.Errorf("stored %s, in the file %s", stored, file)
	}
	if _, err := f.Credentials("unknown"); err == nil {
		t.Error("a helper that is not there is no error")
	}
}

func TestProxyEnv(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "config.json"), []byte(`{"proxies":{"default":{"httpProxy":"http://p","noProxy":"n"},"tcp://h":{"httpsProxy":"s"}}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	f, _ := Load(dir)
	if got, want := f.ProxyEnv("unix:///x", []string{"HTTP_PROXY=mine"}), []string{"HTTP_PROXY=mine", "NO_PROXY=n", "http_proxy=http://p", "no_proxy=n"}; !slices.Equal(got, want) {
		t.Errorf("%q, not %q", got, want)
	}
	if got, want := f.ProxyEnv("tcp://h", nil), []string{"HTTPS_PROXY=s", "https_proxy=s"}; !slices.Equal(got, want) {
		t.Errorf("%q, not %q", got, want)
	}
}
