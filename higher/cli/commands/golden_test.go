package commands_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/dhow-containers/dhow/higher/cli"
	"github.com/dhow-containers/dhow/higher/cli/commands"
	"github.com/dhow-containers/dhow/higher/cli/stream"
)

const helpGolden = "testdata/help.txt"

// TestHelp holds the help of all commands: a change of it shows up in review (go test -update).
func TestHelp(t *testing.T) {
	t.Setenv("DOCKER_CONFIG", "/home/u/.docker")
	var all bytes.Buffer
	helpOf(&all, nil)
	if *update {
		if err := os.MkdirAll(filepath.Dir(helpGolden), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(helpGolden, all.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(helpGolden)
	if err != nil {
		t.Fatal(err)
	}
	got, wanted := strings.Split(all.String(), "\n"), strings.Split(string(want), "\n")
	for i := range got {
		if i >= len(wanted) || got[i] != wanted[i] {
			t.Fatalf("line %d of %s is now %q", i+1, helpGolden, got[i])
		}
	}
	if len(wanted) != len(got) {
		t.Fatalf("%s has %d lines more", helpGolden, len(wanted)-len(got))
	}
}

// helpOf writes the help of the command at path and of all below it.
func helpOf(w *bytes.Buffer, path []string) {
	var out bytes.Buffer
	a := &cli.App{In: stream.Read(strings.NewReader("")), Out: stream.Piped(&out), Err: &out}
	root := commands.Root(a, append(path, "--help"))
	c, _, err := root.Find(path)
	if err != nil {
		panic(err)
	}
	root.Execute()
	w.WriteString("$ dhow " + strings.Join(append(path, "--help"), " ") + "\n" + out.String() + "\n")
	for _, sub := range c.Commands() {
		if sub.Name() != "help" && sub.Name() != "completion" && !strings.HasPrefix(sub.Name(), "__") {
			helpOf(w, append(append([]string{}, path...), sub.Name()))
		}
	}
}

// BenchmarkRoot is what it takes to make the command tree, each time the program runs.
func BenchmarkRoot(b *testing.B) {
	for name, args := range map[string][]string{"ps": {"ps"}, "run": {"run", "busybox"}, "help": {"--help"}} {
		b.Run(name, func(b *testing.B) {
			var root *cobra.Command
			for b.Loop() {
				root = commands.Root(&cli.App{Out: stream.Discard()}, args)
			}
			_ = root
		})
	}
}
