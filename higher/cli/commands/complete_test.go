package commands_test

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// What the shell offers: commands and flags without a daemon, names from it.
func TestCompletion(t *testing.T) {
	f := newFake(t)
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
			x.Env = []string{"DOCKER_HOST=unix://" + f.socket, "HOME=" + t.TempDir()}
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
