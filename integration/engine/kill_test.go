package engine

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dhow-containers/dhow/integration"
)

// A daemon that is killed takes no container along, loses no line of a log and no exit status.
func TestKilledDaemon(t *testing.T) {
	d := newDaemon(t)
	d.load(t)
	d.must(t, "run", "-d", "--name", "counter", "busybox", "sh", "-c", "i=0; while :; do echo $i; i=$((i+1)); usleep 1000; done")
	d.must(t, "run", "-d", "--name", "ends", "busybox", "sh", "-c", "trap 'echo bye; exit 5' TERM; echo up; while :; do sleep 0.05; done")
	await(t, "the trap", func() bool { return d.must(t, "logs", "ends") == "up" })
	pid := d.state(t, "ends", "{{.State.Pid}}")
	d.must(t, "exec", "-d", "ends", "sh", "-c", "sleep 1000")

	d.Kill()
	if r := (&integration.Client{Program: "/bin/kill"}).Run(nil, "-TERM", pid); r.Code != 0 {
		t.Fatal(r.Stderr)
	}
	await(t, "the end of a container without a daemon", func() bool { return !exists("/proc/" + pid) })
	if err := d.Start(); err != nil {
		t.Fatal(err)
	}
	if got := d.state(t, "ends", "{{.State.Status}} {{.State.ExitCode}}"); got != "exited 5" {
		t.Errorf("a container that ended meanwhile: %s", got)
	}
	d.wants(t, "up\nbye", 0, "logs", "ends")
	if got := d.state(t, "counter", "{{.State.Status}} {{.RestartCount}}"); got != "running 0" {
		t.Errorf("a container that runs on: %s", got)
	}
	lines := func() []string { return strings.Fields(d.must(t, "logs", "counter")) }
	before := len(lines())
	await(t, "more output", func() bool { return len(lines()) > before+10 })
	for i, line := range lines() {
		if line != strconv.Itoa(i) {
			t.Fatalf("line %d of the log is %q", i, line)
		}
	}
	d.wants(t, "in", 0, "exec", "counter", "echo", "in")
	d.must(t, "stop", "-t", "0", "counter")
	d.wantsNothingHeld(t)
}

// Whenever the daemon is killed, the next one knows every container, and nothing is left of those that are removed.
func TestKillSweep(t *testing.T) {
	d := newDaemon(t)
	d.load(t)
	rounds := 8
	for round := range rounds {
		var clients sync.WaitGroup
		for i := range 6 {
			clients.Add(1)
			go func() {
				defer clients.Done()
				name := fmt.Sprintf("c%d-%d", round, i)
				d.docker.Run(nil, "run", "-d", "--name", name, "-p", "80", "-v", "vol"+name+":/v", "busybox", "sleep", "1000")
				d.docker.Run(nil, "exec", name, "true")
				d.docker.Run(nil, "rm", "-f", name)
			}()
		}
		// Somewhere in the middle of it: the moment is different in each round, and not chosen.
		time.Sleep(time.Duration(40+round*60) * time.Millisecond)
		d.Kill()
		clients.Wait()
		if err := d.Start(); err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(d.must(t, "ps", "-a", "--format", "{{.Names}} {{.State}}")) {
			name, state, _ := strings.Cut(strings.TrimSpace(line), " ")
			switch state {
			case "running":
				d.wants(t, "", 0, "exec", name, "true")
			case "created", "exited":
			default:
				t.Errorf("round %d: container %s is %s", round, name, state)
			}
		}
		d.wantsNothingHeld(t)
	}
}

// Containers of a restart policy run again after the daemon's end, those that a user has stopped do not.
func TestRestartAfterStop(t *testing.T) {
	d := newDaemon(t, "--live-restore=false")
	d.load(t)
	for name, policy := range map[string]string{"always": "always", "unless": "unless-stopped", "stopped": "unless-stopped", "no": "no"} {
		d.must(t, "run", "-d", "--name", name, "--restart", policy, "busybox", "sh", "-c", "trap 'exit 0' TERM; while :; do sleep 0.05; done")
	}
	d.must(t, "stop", "stopped")
	if err := d.Stop(); err != nil {
		t.Fatal(err)
	}
	if err := d.Start(); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"always": "running", "unless": "running", "stopped": "exited", "no": "exited"} {
		await(t, name+" to be "+want, func() bool { return d.state(t, name, "{{.State.Status}}") == want })
	}
}
