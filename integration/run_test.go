package integration

import (
	"bytes"
	"crypto/sha256"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestExitCodes(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	for script, code := range map[string]int{
		"true": 0, "exit 3": 3, "exit 255": 255, "no-such-command": 127,
		// The shell is init of its pid namespace: only SIGKILL from inside the kernel or outside ends it,
		// so a child dies and the shell reports it.
		"sh -c 'kill -TERM $$'; exit $?": 143, "sh -c 'kill -KILL $$'; exit $?": 137,
	} {
		t.Run(script, func(t *testing.T) {
			r := &cli{t: t, Path: r.Path, Root: r.Root}
			r.Run(newBundle(t, Shell(script))).Exited(code)
		})
	}
}

// Without a pid namespace of its own the process can die by a signal it sends itself.
func TestExitCodeOfASignal(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	for name, code := range map[string]int{"TERM": 143, "KILL": 137, "ABRT": 134, "USR1": 138} {
		b := newBundle(t, Shell("kill -"+name+" $$"), NoNamespace("pid"))
		r.Run(b).Exited(code)
	}
}

func TestRunDeletesTheContainer(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	id := r.ID()
	r.Must("run", "--bundle", newBundle(t).Dir, id)
	r.Do("state", id).Failed("does not exist")
}

func TestRunKeep(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	id := r.ID()
	r.Must("run", "--keep", "--bundle", newBundle(t).Dir, id)
	if s := r.State(id); s.Status != "stopped" {
		t.Errorf("kept container: %+v", s)
	}
	r.Must("delete", id)
}

func TestRunInTheCurrentDirectory(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	cmd := r.Command("run", r.ID())
	cmd.Dir = newBundle(t, Shell("echo here")).Dir
	r.DoCommand(cmd).Exited(0).Printed("here")
}

func TestRunABundleByItsDirectory(t *testing.T) {
	onlyDhow(t, "`run BUNDLE/` is dhow's own")
	t.Parallel()
	r := newCLI(t)
	b := newBundle(t, Shell("hostname; exit 4"))
	name := filepath.Join(t.TempDir(), strings.ReplaceAll(r.ID(), "/", "-"))
	must(t, os.Rename(b.Dir, name))
	r.Do("run", name+"/").Exited(4).Printed("box")
}

func TestStdin(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	cmd := r.Command("run", "--bundle", newBundle(t, Args("tr", "a-z", "A-Z")).Dir, r.ID())
	cmd.Stdin = strings.NewReader("quiet\n")
	r.DoCommand(cmd).Exited(0).Printed("QUIET")
}

func TestStdoutAndStderrAreApart(t *testing.T) {
	t.Parallel()
	res := newCLI(t).Run(newBundle(t, Shell("echo out; echo err >&2")))
	res.Exited(0).Printed("out")
	if res.Stderr != "err\n" {
		t.Errorf("stderr: %q", res.Stderr)
	}
}

func TestBigOutput(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	const size = 16 << 20
	sum := sha256.New()
	count := &counter{w: sum}
	cmd := r.Command("run", "--bundle", newBundle(t, Shell("head -c 16777216 /dev/zero")).Dir, r.ID())
	cmd.Stdout = count
	r.DoCommand(cmd).Exited(0)
	want := sha256.Sum256(make([]byte, size))
	if count.n != size || !bytes.Equal(sum.Sum(nil), want[:]) {
		t.Errorf("%d bytes arrived, want %d zeros", count.n, size)
	}
}

type counter struct {
	w io.Writer
	n int
}

func (c *counter) Write(p []byte) (int, error) {
	c.n += len(p)
	return c.w.Write(p)
}

func TestPipeline(t *testing.T) {
	t.Parallel()
	newCLI(t).Run(newBundle(t, Shell("seq 1000 | grep 7 | wc -l"))).Exited(0).Printed("271")
}

// The stream is the caller's own descriptor, not a copying process: it keeps its identity.
func TestStreamsArePassedNotCopied(t *testing.T) {
	onlyDhow(t, "runc copies the streams of a foreground container through pipes")
	t.Parallel()
	r := newCLI(t)
	path := filepath.Join(t.TempDir(), "out")
	out, err := os.Create(path)
	must(t, err)
	defer out.Close()
	cmd := r.Command("run", "--bundle", newBundle(t, Shell("stat -L -c %i /proc/self/fd/1")).Dir, r.ID())
	cmd.Stdout = out
	r.DoCommand(cmd).Exited(0)
	var st unix.Stat_t
	must(t, unix.Fstat(int(out.Fd()), &st))
	if got := readFile(t, path); got != itoa(int(st.Ino)) {
		t.Errorf("stdout is inode %s inside and %d outside", got, st.Ino)
	}
}

func TestForegroundRunForwardsSignals(t *testing.T) {
	t.Parallel()
	r := newCLI(t)
	for _, signal := range []unix.Signal{unix.SIGTERM, unix.SIGINT, unix.SIGHUP, unix.SIGUSR1, unix.SIGUSR2, unix.SIGQUIT} {
		name := strings.TrimPrefix(unix.SignalName(signal), "SIG")
		script := "trap 'echo got " + name + "; exit 7' " + name + "; echo ready; while :; do sleep 0.05; done"
		cmd := r.Command("run", "--bundle", newBundle(t, Shell(script)).Dir, r.ID())
		out := newWatcher("ready")
		cmd.Stdout = out
		go func() {
			select {
			case <-out.seen:
			case <-time.After(patience):
			}
			_ = cmd.Process.Signal(signal)
		}()
		if res := r.DoCommand(cmd); res.Code != 7 {
			t.Errorf("%s: exit %d, output %q, stderr %q", name, res.Code, out.String(), res.Stderr)
		}
		if !strings.Contains(out.String(), "got "+name) {
			t.Errorf("%s did not arrive: %q", name, out.String())
		}
	}
}
