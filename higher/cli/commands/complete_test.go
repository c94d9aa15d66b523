package commands_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// What the shell offers: commands and flags without a daemon, names from it.
func TestCompletion(t *testing.T) {
	f := newFake(t)
	config := t.TempDir()
	list := filepath.Join(config, "manifests/127.0.0.1-5000_app-multi")
	if err := os.MkdirAll(list, 0o755); err != nil {
		t.Fatal(err)
	}
	image := `{"Ref": "127.0.0.1:5000/app:one", "Descriptor": {}, "OCIManifest": {"config": {}}}`
	if err := os.WriteFile(filepath.Join(list, "127.0.0.1-5000_app-one"), []byte(image), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args string
		want []string
		no   []string
	}{
		{"ru", []string{"run"}, nil},
		{"container i", []string{"inspect"}, nil},
		{"run --net", []string{"--network", "--network-alias"}, nil},
		{"run --network ''", []string{"bridge", "host"}, nil},
		{"run --restart ''", []string{"always", "on-failure"}, nil},
		{"run b", []string{"busybox:1.36"}, nil},
		{"stop ''", []string{"web"}, []string{"db"}},
		{"start ''", []string{"db"}, []string{"web"}},
		{"rm web ''", []string{"db"}, []string{"web"}},
		{"network connect ''", []string{"bridge"}, []string{"web"}},
		{"network connect bridge ''", []string{"web"}, []string{"bridge"}},
		{"volume rm ''", []string{"alpha", "zeta"}, nil},
		{"manifest cr", []string{"create"}, nil},
		{"manifest push ''", []string{"127.0.0.1:5000/app:multi"}, nil},
		{"manifest annotate 127.0.0.1:5000/app:multi ''", []string{"127.0.0.1:5000/app:one"}, []string{"127.0.0.1:5000/app:multi"}},
		{"manifest annotate --os ''", []string{"linux", "windows"}, nil},
		{"inspect --type ''", []string{"container", "volume"}, nil},
	} {
		t.Run(c.args, func(t *testing.T) {
			args, err := words(c.args)
			if err != nil {
				t.Fatal(err)
			}
			if strings.HasSuffix(c.args, "''") && args[len(args)-1] != "" {
				args = append(args, "")
			}
			x := exec.Command(program, append([]string{"__completeNoDesc"}, args...)...)
			x.Env = []string{"DOCKER_HOST=unix://" + f.socket, "HOME=" + t.TempDir(), "DOCKER_CONFIG=" + config}
			out, err := x.Output()
			if err != nil {
				t.Fatal(err)
			}
			got := strings.Fields(string(out))
			for _, w := range c.want {
				if !slices.Contains(got, w) {
					t.Errorf("%s is not in %q", w, got)
				}
			}
			for _, n := range c.no {
				if slices.Contains(got, n) {
					t.Errorf("%s is in %q", n, got)
				}
			}
		})
	}
	for _, shell := range []string{"bash", "zsh", "fish"} {
		if out, err := exec.Command(program, "completion", shell).Output(); err != nil || !strings.Contains(string(out), "dhow") {
			t.Errorf("completion %s: %v", shell, err)
		}
	}
}
