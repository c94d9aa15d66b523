package integration

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/dhow-containers/dhow/integration/facts"
)

// patience bounds every wait; the machine may be slow, the tests are not meant to be.
var patience = duration("DHOW_TEST_PATIENCE", 20*time.Second)

func duration(variable string, otherwise time.Duration) time.Duration {
	if d, err := time.ParseDuration(os.Getenv(variable)); err == nil {
		return d
	}
	return otherwise
}

// cli drives one runtime program with a state directory of its own.
type cli struct {
	t      *testing.T
	Path   string
	Root   string
	Env    []string            // nil: inherited
	User   *syscall.Credential // nil: root
	Cgroup *os.File            // version 2 group that a user calls it in; nil for that of the tests

	Flags []string // for every call, before the verb
}

// result is one finished call.
type result struct {
	t              *testing.T
	call           string
	Stdout, Stderr string
	Code           int // 128+n after signal n
}

// newCLI gives a test its runtime and, at the end, checks that nothing is left of its containers.
func newCLI(t *testing.T) *cli {
	t.Helper()
	needRoot(t)
	r := &cli{t: t, Path: underTest.runtime, Root: filepath.Join(t.TempDir(), "root")}
	t.Cleanup(func() { sweepAway(t, r.Root) })
	return r
}

var idCounter atomic.Int64

// newID makes ids of one length: checkGone looks for names that contain one, and takes what it finds away, so that none
// may begin with another.
func newID() string { return fmt.Sprintf("dhowtest-%d-%06d", os.Getpid(), idCounter.Add(1)) }

// ID makes a container id that no other test uses, and has the container deleted at the end.
func (r *cli) ID() string {
	id := newID()
	r.t.Cleanup(func() {
		r.Do("delete", "--force", id)
		checkGone(r.t, id)
	})
	return id
}

// Command prepares a call with the state directory.
func (r *cli) Command(args ...string) *exec.Cmd {
	cmd := exec.Command(r.Path, slices.Concat([]string{"--root", r.Root}, r.Flags, args)...)
	cmd.Env = r.Env
	if r.User != nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: r.User}
	}
	if r.Cgroup != nil {
		cmd.SysProcAttr.UseCgroupFD, cmd.SysProcAttr.CgroupFD = true, int(r.Cgroup.Fd())
	}
	cmd.WaitDelay = time.Second // a container that lives on may hold the pipes
	return cmd
}

// Do makes a call to its end.
func (r *cli) Do(args ...string) *result { return r.DoCommand(r.Command(args...)) }

// DoCommand runs a prepared call to its end, with its output captured unless it goes somewhere already.
func (r *cli) DoCommand(cmd *exec.Cmd) *result {
	r.t.Helper()
	var stdout, stderr bytes.Buffer
	if cmd.Stdout == nil {
		cmd.Stdout = &stdout
	}
	if cmd.Stderr == nil {
		cmd.Stderr = &stderr
	}
	if err := cmd.Start(); err != nil {
		r.t.Fatalf("cannot start %v: %v", cmd.Args, err)
	}
	timer := time.AfterFunc(patience, func() { _ = cmd.Process.Kill() })
	err := cmd.Wait()
	if !timer.Stop() {
		r.t.Errorf("%v was killed after %v", cmd.Args[3:], patience)
	}
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) && !errors.Is(err, exec.ErrWaitDelay) {
		r.t.Fatalf("cannot run %v: %v", cmd.Args, err)
	}
	return &result{
		t: r.t, call: strings.Join(cmd.Args[3:], " "), Code: exitCode(cmd.ProcessState),
		Stdout: stdout.String(), Stderr: stderr.String(),
	}
}

func exitCode(s *os.ProcessState) int {
	if s.ExitCode() >= 0 {
		return s.ExitCode()
	}
	return 128 + int(waitStatus(s).Signal())
}

// Must makes a call that has to succeed.
func (r *cli) Must(args ...string) *result {
	r.t.Helper()
	return r.Do(args...).Exited(0)
}

// Run runs a bundle in the foreground under a new id.
func (r *cli) Run(b *Bundle) *result {
	r.t.Helper()
	return r.Do("run", "--bundle", b.Dir, r.ID())
}

// Create creates a container whose standard streams go nowhere, so that no pipe outlives the call.
func (r *cli) Create(b *Bundle) string {
	r.t.Helper()
	id := r.ID()
	r.Detached("create", "--bundle", b.Dir, id).Exited(0)
	return id
}

// Started creates a container and starts it.
func (r *cli) Started(b *Bundle) string {
	r.t.Helper()
	id := r.Create(b)
	r.Must("start", id)
	return id
}

// Detached makes a call whose container keeps stdin, stdout and stderr; stderr goes through a file.
func (r *cli) Detached(args ...string) *result {
	r.t.Helper()
	log, err := os.CreateTemp(r.t.TempDir(), "stderr")
	must(r.t, err)
	defer log.Close()
	cmd := r.Command(args...)
	cmd.Stderr = log
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	must(r.t, err)
	defer null.Close()
	cmd.Stdout = null
	res := r.DoCommand(cmd)
	text, err := os.ReadFile(log.Name())
	must(r.t, err)
	res.Stderr = string(text)
	return res
}

// state is the OCI state document.
type state struct {
	OCIVersion  string            `json:"ociVersion"`
	ID          string            `json:"id"`
	Status      string            `json:"status"`
	Pid         int               `json:"pid"`
	Bundle      string            `json:"bundle"`
	Annotations map[string]string `json:"annotations"`
}

// State asks for a container's state.
func (r *cli) State(id string) state {
	r.t.Helper()
	var s state
	decode(r.t, r.Must("state", id).Stdout, &s)
	return s
}

// AwaitStatus waits until a container has a status.
func (r *cli) AwaitStatus(id, status string) {
	r.t.Helper()
	await(r.t, id+" "+status, func() bool { return r.State(id).Status == status })
}

// Exited checks the exit status.
func (res *result) Exited(code int) *result {
	res.t.Helper()
	if res.Code != code {
		res.t.Fatalf("%s: exit %d, want %d\nstdout: %s\nstderr: %s", res.call, res.Code, code, clip(res.Stdout), clip(res.Stderr))
	}
	return res
}

// Printed checks the whole of stdout, less white space around it.
func (res *result) Printed(want string) *result {
	res.t.Helper()
	if got := strings.TrimSpace(res.Stdout); got != want {
		res.t.Fatalf("%s: printed %q, want %q\nstderr: %s", res.call, clip(got), want, clip(res.Stderr))
	}
	return res
}

// Failed checks that the call failed with one line on stderr that holds all the words.
func (res *result) Failed(words ...string) *result {
	res.t.Helper()
	if res.Code == 0 {
		res.t.Fatalf("%s: succeeded, want an error\nstdout: %s", res.call, clip(res.Stdout))
	}
	if underTest.kind == Dhow && strings.Count(strings.TrimSpace(res.Stderr), "\n") > 0 {
		res.t.Errorf("%s: more than one line on stderr:\n%s", res.call, res.Stderr)
	}
	for _, word := range words {
		if !strings.Contains(strings.ReplaceAll(res.Stderr, `\"`, `"`), word) { // a text log quotes its message
			res.t.Errorf("%s: stderr lacks %q:\n%s", res.call, word, res.Stderr)
		}
	}
	return res
}

// Facts decodes what `probe dump` printed.
func (res *result) Facts() *facts.Facts {
	res.t.Helper()
	res.Exited(0)
	f := &facts.Facts{}
	decode(res.t, res.Stdout, f)
	return f
}

func decode(t *testing.T, text string, into any) {
	t.Helper()
	if err := json.NewDecoder(strings.NewReader(text)).Decode(into); err != nil && err != io.EOF {
		t.Fatalf("cannot decode %q: %v", clip(text), err)
	}
}

func clip(s string) string {
	if len(s) > 2000 {
		return s[:2000] + "…"
	}
	return s
}
