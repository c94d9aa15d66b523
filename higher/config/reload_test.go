package config

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// parseFile is a configuration of a file and flags.
func parseFile(t *testing.T, text string, args ...string) *Config {
	t.Helper()
	path := filepath.Join(t.TempDir(), "daemon.json")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, _, err := Parse(append(args, "--config-file", path))
	if err != nil {
		t.Fatal(err)
	}
	return c.Config
}

func TestReload(t *testing.T) {
	c := parseFile(t, `{"labels": ["a=1"], "mtu": 1400, "debug": true}`, "--bridge", "br0", "--live-restore=false")
	next := parseFile(t, `{"labels": ["a=2", "b=3"], "mtu": 1300, "dns": ["10.0.0.1"], "insecure-registries": ["r:5000"], "runtimes": {"x": {"path": "/bin/x"}}, "default-runtime": "x"}`,
		"--bridge", "br0", "--live-restore=false")
	got, refused := c.Reload(next)
	if !slices.Equal(refused, []string{"dns", "mtu"}) {
		t.Errorf("refused: %v", refused)
	}
	if !slices.Equal(got.Labels, []string{"a=2", "b=3"}) || !slices.Equal(got.InsecureRegistries, []string{"r:5000"}) || got.Debug || got.Runtimes["x"].Path != "/bin/x" || got.DefaultRuntime != "x" {
		t.Errorf("taken over: %+v", got)
	}
	if got.MTU != 1400 || len(got.DNS) != 0 || got.Bridge != "br0" || got.LiveRestore {
		t.Errorf("not to be changed: %+v", got)
	}
	if !slices.Equal(c.Labels, []string{"a=1"}) || !c.Debug {
		t.Errorf("the old configuration has changed: %+v", c)
	}
	if _, refused := got.Reload(next); !slices.Equal(refused, []string{"dns", "mtu"}) {
		t.Errorf("refused the second time: %v", refused)
	}
	if _, refused := got.Reload(c); len(refused) != 0 {
		t.Errorf("back again: %v", refused)
	}
}
