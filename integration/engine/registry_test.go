package engine

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/dhow-containers/dhow/integration"
)

// secretLogin is a user with the password `secret`, as htpasswd -B has it.
const secretLogin = "user:$2y$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a\n"

// startRegistry starts a registry with more in its configuration.
func startRegistry(t *testing.T, more string) string {
	t.Helper()
	r, err := integration.StartRegistry(t.TempDir(), more)
	if err != nil {
		t.Skip("needs Debian's package docker-registry: ", err)
	}
	t.Cleanup(r.Close)
	return r.Address
}

// slowRegistry is what is said of a layer when a registry takes more than a moment.
const slowRegistry = "ID12: Waiting"

var pushedSize = regexp.MustCompile(`size: \d+`)

// What is said about registries is what dockerd says.
func TestRegistryWords(t *testing.T) {
	needRoot(t)
	steps, err := readScenario("testdata/registry.txt")
	if err != nil {
		t.Fatal(err)
	}
	passwords := filepath.Join(t.TempDir(), "passwords")
	if err := os.WriteFile(passwords, []byte(secretLogin), 0o600); err != nil {
		t.Fatal(err)
	}
	closed := startRegistry(t, fmt.Sprintf("auth: {htpasswd: {realm: test, path: %s}}\n", passwords))
	for _, program := range []string{"docker", "dhow"} {
		t.Run(program, func(t *testing.T) {
			path := filepath.Join(programs, program)
			if program == "docker" {
				if path = dockerProgram(); path == "" {
					t.Skip("needs the docker CLI")
				}
			}
			places := []string{"OPEN", startRegistry(t, ""), "CLOSED", closed, "NONE", "127.0.0.1:9"}
			d := newDaemon(t)
			d.load(t)
			d.replayAt(t, steps, path, places)
		})
	}
}

// replayAt plays steps in which registries have names: places are pairs of a name and an address.
func (d *daemon) replayAt(t *testing.T, steps []step, program string, places []string) {
	t.Helper()
	dir := workplace(t, program)
	var env, shown []string
	for i := 0; i < len(places); i += 2 {
		env = append(env, places[i]+"="+places[i+1])
		shown = append(shown, places[i+1], places[i])
	}
	for _, s := range steps {
		lines := slices.DeleteFunc(s.play(d.Socket(), dir, env...), func(line string) bool { return line == slowRegistry })
		got := strings.NewReplacer(shown...).Replace(strings.Join(lines, "\n"))
		if got = pushedSize.ReplaceAllString(got, "size: SIZE"); got != strings.Join(s.want, "\n") {
			t.Errorf("%s: %s\ngot:\n%s\nwant:\n%s", s.line, s.command, got, strings.Join(s.want, "\n"))
		}
	}
}
