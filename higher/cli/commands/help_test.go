package commands_test

import (
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/dhow-containers/dhow/higher/cli"
	"github.com/dhow-containers/dhow/higher/cli/commands"
)

// flagLine is a line of docker's help: "  -p, --publish list   Publish …".
var flagLine = regexp.MustCompile(`^  (?:-(.), |    )--([a-z0-9-]+)(?: ([a-zA-Z0-9-]+))?(?:   |$)`)

// notOurs are commands of docker that are something else here, or nothing: their flags differ.
func notOurs(path string) bool {
	for _, p := range []string{"build", "builder build", "image build", "swarm", "node", "service", "stack", "secret", "config", "plugin", "trust", "volume update"} {
		if path == p || strings.HasPrefix(path, p+" ") {
			return true
		}
	}
	return false
}

// ourOwn are flags that docker 28 does not have, or that its help leaves out.
var ourOwn = map[string][]string{
	"":                 {"no-autostart"},
	"commit":           {"no-pause"},
	"container commit": {"no-pause"},
}

// Every flag that docker's help shows is there, with its letter and the type of its argument, and no others are.
func TestFlagsOfDocker(t *testing.T) {
	if docker == "" {
		t.Skip("docker 28.2 is not installed")
	}
	walk(t, nil, func(path string, ours *cobra.Command) {
		if notOurs(path) || ours.HasSubCommands() && path != "" {
			return
		}
		t.Run(path, func(t *testing.T) { compareFlags(t, path, ours) })
	})
}

func compareFlags(t *testing.T, path string, ours *cobra.Command) {
	out, err := exec.Command(docker, append(strings.Fields(path), "--help")...).Output()
	if err != nil {
		t.Fatalf("docker %s --help: %v", path, err)
	}
	theirs := map[string]bool{}
	for line := range strings.Lines(string(out)) {
		m := flagLine.FindStringSubmatch(strings.TrimRight(line, "\n"))
		if m == nil {
			continue
		}
		theirs[m[2]] = true
		f := ours.Flags().Lookup(m[2])
		switch {
		case f == nil:
			t.Errorf("--%s is missing", m[2])
		case f.Shorthand != m[1]:
			t.Errorf("--%s is also -%s, docker's -%s", m[2], f.Shorthand, m[1])
		case kind(f) != m[3] && m[2] != "platform": // several platforms are new
			t.Errorf("--%s takes %q, docker's %q", m[2], kind(f), m[3])
		}
	}
	ours.Flags().VisitAll(func(f *pflag.Flag) {
		if !theirs[f.Name] && !f.Hidden && !slices.Contains(ourOwn[path], f.Name) {
			t.Errorf("--%s is not docker's", f.Name)
		}
	})
}

func kind(f *pflag.Flag) string {
	name, _ := pflag.UnquoteUsage(f)
	switch f.Value.Type() {
	case "ip":
		return "string" // docker writes it so
	case "int64":
		return "int"
	}
	return name
}

// walk calls visit for each command that docker and dhow have both, and reports those that dhow lacks.
func walk(t *testing.T, path []string, visit func(string, *cobra.Command)) {
	t.Helper()
	root := commands.Root(&cli.App{In: cli.New().In, Out: cli.New().Out}, path)
	ours, rest, err := root.Find(path)
	if err != nil || len(rest) > 0 {
		t.Errorf("dhow has no command %q", strings.Join(path, " "))
		return
	}
	visit(strings.Join(path, " "), ours)
	out, err := exec.Command(docker, append(slices.Clone(path), "--help")...).Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range subcommands(string(out)) {
		next := append(slices.Clone(path), name)
		if p := strings.Join(next, " "); p != "trust" {
			walk(t, next, visit)
		}
	}
}

func subcommands(help string) (names []string) {
	in := false
	for line := range strings.Lines(help) {
		line = strings.TrimRight(line, "\n")
		switch {
		case strings.HasSuffix(line, "Commands:"):
			in = true
		case line != "" && line[0] != ' ':
			in = false
		case in && strings.HasPrefix(line, "  "):
			names = append(names, strings.Fields(line)[0])
		}
	}
	return names
}
