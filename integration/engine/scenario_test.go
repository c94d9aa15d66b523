package engine

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/dhow-containers/dhow/integration"
)

var update = flag.Bool("update", false, "write what the docker CLI and the engine at $DHOW_TEST_ORACLE print into the scenarios")

// A step of a scenario is a command line for a shell and what it prints: lines of standard output as they are, those of
// standard error behind "! ", and "[exit N]" if that is not 0.
type step struct {
	line    string // number in the file, for messages
	command string
	want    []string
}

// readScenario reads a file of steps; `# ` begins a comment, and comments belong to the step below.
func readScenario(path string) (steps []step, err error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	for i, line := range strings.Split(strings.TrimRight(string(text), "\n"), "\n") {
		command, ok := strings.CutPrefix(line, "$ ")
		switch {
		case ok:
			steps = append(steps, step{line: fmt.Sprintf("%s:%d", filepath.Base(path), i+1), command: command})
		case len(steps) > 0 && !strings.HasPrefix(line, "# ") && line != "":
			s := &steps[len(steps)-1]
			s.want = append(s.want, line)
		}
	}
	return steps, nil
}

// volatile is what differs from one run to the next, and what it becomes.
var volatile = []struct {
	pattern *regexp.Regexp
	by      string
}{
	{regexp.MustCompile(`(?m)^[0-9a-f]{12}: Waiting\r?\n`), ""}, // said where the machine is slow
	{regexp.MustCompile(`sha256:[0-9a-f]{64}`), "sha256:ID"},
	{regexp.MustCompile(`\b[0-9a-f]{64}\b`), "ID64"},
	{regexp.MustCompile(`\b[0-9a-f]{12}\b`), "ID12"},
	{regexp.MustCompile(`\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z| ?[+-]\d\d:?\d\d)?( UTC)?`), "TIME"},
	{regexp.MustCompile(`(Less than a second|About an? (minute|hour)|\d+ (second|minute|hour|day|week|month|year)s?)( ago)?`), "AWHILE$4"},
	{regexp.MustCompile(`(failed to create task for container|OCI runtime exec failed): .*?(exec: ".*)`), "$1: $2"}, // the runtimes' own words
	{regexp.MustCompile(`linux/amd64/v[1-4]`), "linux/amd64/LEVEL"},                                                 // of this machine's processor
	{regexp.MustCompile(`Error parsing reference`), "error parsing reference"},                                      // of one and another version of the client's library
	{regexp.MustCompile(`(?m)[ \t]+$`), ""},
	{regexp.MustCompile(`\bdhow(: | run \[)`), "docker$1"},
	{regexp.MustCompile(`'dhow `), "'docker "},
	{regexp.MustCompile(`  +`), "  "}, // columns are as wide as what was replaced
}

func normal(text string) []string {
	for _, v := range volatile {
		text = v.pattern.ReplaceAllString(text, v.by)
	}
	text = strings.ReplaceAll(text, "\r", "")
	var lines []string
	for line := range strings.SplitSeq(text, "\n") {
		if line != "" {
			lines = append(lines, line)
		}
	}
	return lines
}

// play runs a step in a workplace.
func (s *step) play(socket, dir string, env ...string) []string {
	shell := integration.Client{Program: "/bin/sh", Socket: socket, Home: dir, Dir: dir, Env: append(env[:len(env):len(env)], "PATH="+dir+"/bin:"+os.Getenv("PATH"))}
	r := shell.Run(nil, "-c", s.command)
	lines := normal(r.Stdout)
	for _, line := range normal(r.Stderr) {
		lines = append(lines, "! "+line)
	}
	if r.Code != 0 {
		lines = append(lines, fmt.Sprintf("[exit %d]", r.Code))
	}
	return lines
}

// workplace is a directory where `docker` is a program of our choice.
func workplace(t *testing.T, program string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "bin"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(program, filepath.Join(dir, "bin/docker")); err != nil {
		t.Fatal(err)
	}
	return dir
}

// Each scenario prints the same, whoever types it: what the docker CLI printed with dockerd.
func TestScenarios(t *testing.T) {
	files, err := filepath.Glob("testdata/scenarios/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scenarios: %v", err)
	}
	if *update {
		for _, f := range files {
			record(t, f)
		}
		return
	}
	for _, program := range []string{"docker", "dhow"} {
		for _, f := range files {
			t.Run(program+"/"+strings.TrimSuffix(filepath.Base(f), ".txt"), func(t *testing.T) {
				needRoot(t)
				path := filepath.Join(programs, program)
				if program == "docker" {
					if path = dockerProgram(); path == "" {
						t.Skip("needs the docker CLI")
					}
				}
				d := newDaemon(t)
				d.load(t)
				replay(t, f, path, d.Socket())
			})
		}
	}
}

func replay(t *testing.T, file, program, socket string) {
	t.Helper()
	steps, err := readScenario(file)
	if err != nil {
		t.Fatal(err)
	}
	dir := workplace(t, program)
	for _, s := range steps {
		got := s.play(socket, dir)
		if strings.Join(got, "\n") != strings.Join(s.want, "\n") {
			t.Errorf("%s: %s\ngot:\n  %s\nwant:\n  %s", s.line, s.command, strings.Join(got, "\n  "), strings.Join(s.want, "\n  "))
		}
	}
}

// record writes a scenario again, with what the docker CLI prints when it speaks to an engine that is to be believed.
func record(t *testing.T, file string) {
	t.Helper()
	oracle := os.Getenv("DHOW_TEST_ORACLE")
	if oracle == "" || dockerProgram() == "" {
		t.Fatal("-update needs the docker CLI, and DHOW_TEST_ORACLE=unix:///… of a dockerd with busybox loaded")
	}
	dir := workplace(t, dockerProgram())
	rewrite(t, file, func(s *step) []string { return s.play(oracle, dir) })
}

// rewrite writes a file of steps anew with what playing them says; comments stay.
func rewrite(t *testing.T, file string, play func(*step) []string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	for line := range strings.SplitSeq(strings.TrimRight(string(text), "\n"), "\n") {
		command, ok := strings.CutPrefix(line, "$ ")
		if !ok {
			if strings.HasPrefix(line, "# ") || line == "" {
				fmt.Fprintln(&out, line)
			}
			continue
		}
		fmt.Fprintln(&out, line)
		for _, got := range play(&step{command: command}) {
			fmt.Fprintln(&out, got)
		}
	}
	if err := os.WriteFile(file, []byte(out.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}
