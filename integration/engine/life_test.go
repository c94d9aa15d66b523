package engine

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
)

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// remover removes a container of the shared daemon's with its test.
func remover(t *testing.T, d *daemon, names ...string) {
	t.Cleanup(func() { d.docker.Run(nil, append([]string{"rm", "-f", "-v"}, names...)...) })
}

func TestRestartPolicy(t *testing.T) {
	d := sharedDaemon(t)
	remover(t, d, "failing", "steady")
	d.must(t, "run", "-d", "--name", "failing", "--restart", "on-failure:2", "busybox", "sh", "-c", "exit 3")
	await(t, "two restarts", func() bool {
		return d.state(t, "failing", "{{.RestartCount}} {{.State.Status}} {{.State.ExitCode}}") == "2 exited 3"
	})
	d.must(t, "run", "-d", "--name", "steady", "--restart", "always", "busybox", "sleep", "1000")
	before := d.state(t, "steady", "{{.State.Pid}}")
	d.must(t, "exec", "steady", "sh", "-c", "kill -TERM 1 || true")
	d.must(t, "kill", "-s", "KILL", "steady") // by a user: it stays stopped
	if got := d.state(t, "steady", "{{.State.Status}}"); got != "exited" {
		t.Errorf("after kill: %s", got)
	}
	d.must(t, "start", "steady")
	if after := d.state(t, "steady", "{{.State.Pid}}"); after == before || after == "0" {
		t.Errorf("pid %s after %s", after, before)
	}
}

func TestHealth(t *testing.T) {
	d := sharedDaemon(t)
	remover(t, d, "sick")
	d.must(t, "run", "-d", "--name", "sick", "--health-cmd", "test -e /ok", "--health-interval", "100ms", "--health-retries", "2", "busybox", "sleep", "1000")
	health := func() string { return d.state(t, "sick", "{{.State.Health.Status}}") }
	await(t, "unhealthy", func() bool { return health() == "unhealthy" })
	if status := d.must(t, "ps", "--filter", "health=unhealthy", "--format", "{{.Names}} {{.Status}}"); !strings.HasSuffix(status, "(unhealthy)") {
		t.Errorf("ps: %s", status)
	}
	d.must(t, "exec", "sick", "touch", "/ok")
	await(t, "healthy", func() bool { return health() == "healthy" })
}

func TestOOM(t *testing.T) {
	d := sharedDaemon(t)
	if limit := d.must(t, "info", "-f", "{{.MemoryLimit}}"); limit != "true" {
		t.Skip("no memory limit that binds on this host")
	}
	testOOM(t, d)
}

// hog takes more memory than a few MiB.
const hog = "x=a; while :; do x=$x$x$x$x; done"

func testOOM(t *testing.T, d *daemon) {
	t.Helper()
	remover(t, d, "greedy")
	if r := d.docker.Run(nil, "run", "--name", "greedy", "-m", "8m", "--memory-swap", "8m", "busybox", "sh", "-c", hog); r.Code != 137 {
		t.Errorf("exit %d: %s", r.Code, r.Stderr)
	}
	if got := d.state(t, "greedy", "{{.State.OOMKilled}}"); got != "true" {
		t.Errorf("OOMKilled is %s", got)
	}
}

func TestTwentyAtOnce(t *testing.T) {
	d := sharedDaemon(t)
	var group sync.WaitGroup
	for i := range 20 {
		group.Add(1)
		go func() {
			defer group.Done()
			d.wants(t, strconv.Itoa(i), 0, "run", "--rm", "--label", "twenty", "busybox", "echo", strconv.Itoa(i))
		}()
	}
	group.Wait()
	if left := d.must(t, "ps", "-aq", "--filter", "label=twenty"); left != "" {
		t.Errorf("left: %s", left)
	}
}

func TestLogsOfAllKinds(t *testing.T) {
	d := sharedDaemon(t)
	remover(t, d, "talks", "rotates", "local", "mute")
	d.must(t, "run", "--name", "talks", "busybox", "sh", "-c", "echo one; echo two >&2; printf three")
	if r := d.docker.Run(nil, "logs", "talks"); r.Stdout != "one\nthree" || r.Stderr != "two\n" {
		t.Errorf("%q and %q", r.Stdout, r.Stderr)
	}
	d.wants(t, "", 0, "logs", "--until", "2000-01-01T00:00:00Z", "talks")
	d.must(t, "run", "--name", "rotates", "--log-opt", "max-size=10k", "--log-opt", "max-file=3", "busybox", "seq", "10000")
	lines := strings.Fields(d.must(t, "logs", "rotates"))
	if len(lines) == 0 || len(lines) > 1000 || lines[len(lines)-1] != "10000" {
		t.Errorf("%d lines are left of a log that is bounded", len(lines))
	}
	d.wants(t, "10000", 0, "logs", "--tail", "1", "rotates")
	if got := d.must(t, "logs", "-t", "--tail", "1", "rotates"); !strings.HasPrefix(got, "20") || !strings.HasSuffix(got, "Z 10000") {
		t.Errorf("with a timestamp: %q", got)
	}
	files, err := filepath.Glob(d.state(t, "rotates", "{{.LogPath}}") + "*")
	if err != nil || len(files) > 3 {
		t.Errorf("files: %v, %v", files, err)
	}
	d.must(t, "run", "--name", "local", "--log-driver", "local", "busybox", "seq", "100")
	if got := strings.Fields(d.must(t, "logs", "local")); len(got) != 100 || got[99] != "100" {
		t.Errorf("local: %v", got)
	}
	d.must(t, "run", "--name", "mute", "--log-driver", "none", "busybox", "echo", "x")
	if r := d.docker.Run(nil, "logs", "mute"); r.Code != 1 {
		t.Errorf("logs without a log: exit %d, %q", r.Code, r.Stdout)
	}
}

// A client that follows gets every line, and the end.
func TestFollow(t *testing.T) {
	d := sharedDaemon(t)
	remover(t, d, "follow")
	d.must(t, "run", "-d", "--name", "follow", "busybox", "sh", "-c", "read x < /go 2>/dev/null; for i in $(seq 2000); do echo $i; done")
	got := strings.Fields(d.must(t, "logs", "-f", "follow"))
	if len(got) != 2000 || got[1999] != "2000" {
		t.Errorf("%d lines, the last is %q", len(got), fmt.Sprint(got[max(0, len(got)-1):]))
	}
}

func TestBigStreams(t *testing.T) {
	d := sharedDaemon(t)
	const size = 8 << 20
	r := d.docker.Run(strings.NewReader(strings.Repeat("x", size)), "run", "-i", "--rm", "--log-driver", "none", "busybox", "sh", "-c", "tee /dev/stderr")
	if len(r.Stdout) != size || len(r.Stderr) != size || r.Code != 0 {
		t.Errorf("%d bytes on stdout, %d on stderr, exit %d", len(r.Stdout), len(r.Stderr), r.Code)
	}
}

func TestEvents(t *testing.T) {
	d := sharedDaemon(t)
	before := d.must(t, "run", "--rm", "busybox", "date", "+%s")
	d.wants(t, "", 4, "run", "--rm", "--name", "told", "busybox", "sh", "-c", "exit 4")
	after := d.must(t, "run", "--rm", "busybox", "date", "+%s")
	n, _ := strconv.Atoi(after)
	out := d.must(t, "events", "--since", before, "--until", strconv.Itoa(n+1), "--filter", "container=told", "--format", "{{.Action}} {{index .Actor.Attributes \"exitCode\"}}")
	var actions []string
	for line := range strings.Lines(out) {
		actions = append(actions, strings.TrimSpace(line))
	}
	if got := strings.Join(actions, ","); got != "create,attach,start,die 4,destroy" {
		t.Errorf("events: %s", got)
	}
}
