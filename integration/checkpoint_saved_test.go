package integration

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
)

var criuOnce = sync.OnceValues(CRIU)

// newCRIU is newCLI with a criu in its $PATH.
func newCRIU(t *testing.T) *cli {
	t.Helper()
	r := newCLI(t)
	dir, err := criuOnce()
	if err != nil {
		skip(t, err.Error())
	}
	r.Env = append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"))
	return r
}

// piped makes a call whose container keeps pipes as its streams: the one thing that runc can save. What it
// prints goes to the watcher.
func (r *cli) piped(out *watcher, args ...string) *result {
	r.t.Helper()
	stdin, ours, err := os.Pipe()
	must(r.t, err)
	theirs, stdout, err := os.Pipe()
	must(r.t, err)
	r.t.Cleanup(func() { ours.Close(); theirs.Close() })
	cmd := r.Command(args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, stdout, stdout
	res := r.DoCommand(cmd)
	must(r.t, stdin.Close())
	must(r.t, stdout.Close())
	if res.Code != 0 { // nobody else holds the other end
		out.drain(theirs)
		res.Stderr = out.String()
		return res
	}
	go out.drain(theirs)
	return res
}

// saved is a container whose first process appends numbers to a file on the host.
type saved struct {
	*cli
	t      *testing.T
	b      *Bundle
	id     string
	out    string // directory
	images string
}

// newSaved starts the probe with a verb that counts.
func newSaved(t *testing.T, verb []string, edits ...Edit) *saved {
	t.Helper()
	s := &saved{cli: newCRIU(t), t: t, out: t.TempDir(), images: filepath.Join(t.TempDir(), "images")}
	s.id = s.ID()
	must(t, os.Chmod(s.out, 0o777))
	all := append([]Edit{probe(append([]string{verb[0], "/out/log"}, verb[1:]...)...), Bind(s.out, "/out")}, edits...)
	s.b = newBundle(t, all...)
	s.piped(newWatcher(""), "run", "--detach", "--bundle", s.b.Dir, s.id).Exited(0)
	s.awaitNumbers(3)
	return s
}

func (s *saved) numbers() []string {
	data, _ := os.ReadFile(filepath.Join(s.out, "log"))
	return strings.Fields(string(data))
}

// awaitNumbers waits for n more numbers.
func (s *saved) awaitNumbers(n int) {
	s.t.Helper()
	from := len(s.numbers())
	await(s.t, "the container to count", func() bool { return len(s.numbers()) >= from+n })
}

// inSequence checks that no number is missing and none came twice.
func (s *saved) inSequence() {
	s.t.Helper()
	for i, n := range s.numbers() {
		if n != strconv.Itoa(i+1) {
			s.t.Fatalf("number %d is %q in %v", i+1, n, s.numbers())
		}
	}
}

func (s *saved) checkpoint(flags ...string) *result {
	s.t.Helper()
	res := s.Do(append(append([]string{"checkpoint", "--image-path", s.images}, flags...), s.id)...)
	s.explain(res, "dump.log")
	return res
}

func (s *saved) restore(flags ...string) *result {
	s.t.Helper()
	res := s.piped(newWatcher(""), append(append([]string{"restore", "--detach", "--image-path", s.images, "--bundle", s.b.Dir}, flags...), s.id)...)
	s.explain(res, "restore.log")
	return res
}

func (s *saved) explain(res *result, log string) {
	if res.Code != 0 {
		text, _ := os.ReadFile(filepath.Join(s.images, log))
		s.t.Logf("%s", lastLines(string(text), 12))
	}
}

// goesOn checks that the restored container is one like any other, and counts on from where it was.
func (s *saved) goesOn() {
	s.t.Helper()
	s.awaitNumbers(5)
	s.inSequence()
	st := s.State(s.id)
	if st.Status != "running" || st.Pid <= 0 || st.Bundle != s.b.Dir {
		s.t.Errorf("state: %+v", st)
	}
	if list := s.Must("list").Stdout; !strings.Contains(list, s.id) {
		s.t.Errorf("list:\n%s", list)
	}
	s.Must("exec", s.id, "/bin/echo", "inside").Printed("inside")
	s.Must("kill", s.id, "KILL")
	s.AwaitStatus(s.id, "stopped")
	s.Must("delete", s.id)
}
