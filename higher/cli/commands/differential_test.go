package commands_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write what docker does to testdata")

// docker is the peer, version 28.2. Where that is not installed, what it did once is in testdata/docker.json (go test -update).
var docker = peer()

func peer() string {
	path, err := exec.LookPath("docker")
	if err != nil {
		return ""
	}
	if out, err := exec.Command(path, "--version").Output(); err != nil || !strings.HasPrefix(string(out), "Docker version 28.2.") {
		return "" // others ask and print otherwise
	}
	return path
}

const golden = "testdata/docker.json"

// run is what a command line led to.
type run struct {
	Requests []string `json:",omitempty"`
	Out, Err string   `json:",omitempty"`
	Code     int      `json:",omitempty"`
}

// TestMain builds the program under test.
func TestMain(m *testing.M) {
	flag.Parse()
	dir, err := os.MkdirTemp("", "dhow")
	if err != nil {
		panic(err)
	}
	program = filepath.Join(dir, "dhow")
	if out, err := exec.Command("go", "build", "-o", program, "github.com/dhow-containers/dhow/higher/cmd/dhow").CombinedOutput(); err != nil {
		panic(string(out))
	}
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

var program string

// TestLikeDocker runs the same command lines with docker and with dhow against the same daemon. Both must ask the same and
// print the same, with dhow for docker.
func TestLikeDocker(t *testing.T) {
	known := map[string]run{}
	if data, err := os.ReadFile(golden); err == nil {
		if err := json.Unmarshal(data, &known); err != nil {
			t.Fatal(err)
		}
	}
	f := newFake(t)
	for _, c := range commandLines {
		t.Run(c.line, func(t *testing.T) {
			want, there := known[c.line]
			if docker != "" {
				want, there = do(t, f, docker, c), true
				known[c.line] = want
			}
			if !there {
				t.Skip("docker is not installed, and what it does is not in " + golden)
			}
			got := do(t, f, program, c)
			if !slices.Equal(got.Requests, want.Requests) {
				t.Errorf("requests\n%s\ndocker's\n%s", strings.Join(got.Requests, "\n"), strings.Join(want.Requests, "\n"))
			}
			if got.Out != want.Out && !c.ownOutput {
				t.Errorf("output\n%s\ndocker's\n%s", got.Out, want.Out)
			}
			if got.Err != want.Err && !c.ownWords {
				t.Errorf("errors\n%s\ndocker's\n%s", got.Err, want.Err)
			}
			if got.Code != want.Code {
				t.Errorf("exit code %d, docker's %d", got.Code, want.Code)
			}
		})
	}
	if *update && docker != "" {
		data, err := json.MarshalIndent(known, "", " ")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(golden, append(data, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func do(t *testing.T, f *fake, path string, c commandLine) run {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"env": "F=1\n# no\n\nHOME\nNOTSET\n", "labels": "x=y\nz\n", "profile.json": "{ \"defaultAction\": \"SCMP_ACT_ALLOW\" }", "file": "content", "in/one": "1", "in/two": "22"} {
		p := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	args, err := words(c.line)
	if err != nil {
		t.Fatal(err)
	}
	x := exec.Command(path, args...)
	x.Dir = dir
	x.Env = append([]string{"HOME=/home/u", "PATH=/usr/bin:/bin", "TZ=UTC", "DOCKER_CONFIG=" + dir + "/config", "DOCKER_HOST=unix://" + f.socket}, c.env...)
	x.Stdin = strings.NewReader(c.in)
	var out, errs bytes.Buffer
	x.Stdout, x.Stderr = &out, &errs
	err = x.Run()
	var ee *exec.ExitError
	if err != nil && !errors.As(err, &ee) {
		t.Fatal(err)
	}
	r := run{Requests: f.take(), Out: same(out.String(), dir, f), Err: same(errs.String(), dir, f), Code: x.ProcessState.ExitCode()}
	for i := range r.Requests {
		r.Requests[i] = same(r.Requests[i], dir, f)
	}
	if c.unordered {
		slices.Sort(r.Requests)
	}
	return r
}

var (
	name    = regexp.MustCompile(`\bdocker( |'|:|$)`)
	column  = regexp.MustCompile(`(ENDPOINT|SOCKET) +`)
	health  = regexp.MustCompile(`"HealthStatus":"[a-z]*",`) // docker 28 does not know it yet
	passing = regexp.MustCompile(`[0-9]+ years ago`)
)

// same takes out what differs between two runs of anything.
func same(s, dir string, f *fake) string {
	s = strings.ReplaceAll(strings.ReplaceAll(s, dir, "DIR"), f.socket, "SOCKET")
	s = column.ReplaceAllString(s, "$1 ") // as wide as the path of the socket
	s = health.ReplaceAllString(s, "")
	return passing.ReplaceAllString(name.ReplaceAllString(s, "dhow$1"), "N years ago")
}

// words takes a line apart as a shell does, as far as '…' goes.
func words(line string) ([]string, error) {
	var all []string
	var b strings.Builder
	quoted, some := false, false
	for _, r := range line {
		switch {
		case r == '\'':
			quoted, some = !quoted, true
		case r == ' ' && !quoted:
			if some {
				all = append(all, b.String())
			}
			b.Reset()
			some = false
		default:
			b.WriteRune(r)
			some = true
		}
	}
	if quoted {
		return nil, errors.New("no closing quote: " + line)
	}
	if some {
		all = append(all, b.String())
	}
	return all, nil
}
