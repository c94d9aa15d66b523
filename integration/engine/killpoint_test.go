package engine

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dhow-containers/dhow/integration"
)

// failpoints are where a daemon is killed in the life of a container of a kind: the last ones only in the long form.
var failpoints = map[string][2][]string{
	"image": {
		{"create-lent", "start-mounted", "start-created", "exit-cleaned", "remove-recorded"},
		{
			"create-prepared", "create-volumes", "start-bundle", "start-reserved", "start-attached", "start-started", "start-recorded",
			"exit-seen", "exit-recorded", "remove-released", "remove-files",
		},
	},
	"runtime": {{"start-created", "start-recorded"}, {"start-attached", "start-started", "exit-seen"}},
}

// soaking says whether the long forms of these tests were asked for (make test-soak).
func soaking() bool { return os.Getenv("DHOW_TEST_SOAK") != "" }

// kinds are containers that have more than a bundle: images that they have mounted, another runtime.
var kinds = map[string][]string{
	"image":   {"--mount", "type=image,source=data:1,target=/x,image-subpath=share", "-v", "/anonymous"},
	"runtime": {"--runtime", "runc", "--mount", "type=image,source=data:1,target=/y,image-subpath=share", "-v", "/anonymous"},
}

// A killDaemon is killed with two containers running, which run on, and another on its way.
type killDaemon struct {
	*daemon
	failing string // directory with a dhowd that has failpoints
	before  []string
}

func newKillDaemon(t *testing.T) *killDaemon {
	t.Helper()
	if os.Getenv("DHOW_TEST_DOCKERD") != "" {
		t.Skip("of dhowd")
	}
	d := &killDaemon{daemon: runcDaemon(t), failing: t.TempDir()}
	t.Setenv("GOFLAGS", "-tags=failpoint")
	if err := integration.BuildStatic(filepath.Join(d.failing, "dhowd"), "./higher/cmd/dhowd"); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"containerd-shim-dhow-v2", "dhow-init"} {
		if err := os.Symlink(filepath.Join(programs, name), filepath.Join(d.failing, name)); err != nil {
			t.Fatal(err)
		}
	}
	d.must(t, "run", "--name", "maker", "busybox", "sh", "-c", "mkdir /share; echo one > /share/file")
	d.must(t, "commit", "maker", "data:1")
	d.must(t, "rm", "maker")
	for name, flags := range kinds {
		d.must(t, slices.Concat([]string{"run", "-d", "--name", "keeper-" + name}, flags, []string{"busybox", "sleep", "1000"})...)
	}
	d.before = d.holdings(t)
	return d
}

// restart starts the daemon after its death, and looks whether what ran runs on and nothing else is there.
func (d *killDaemon) restart(t *testing.T, when string) {
	t.Helper()
	if err := d.Start(); err != nil {
		t.Fatal(err)
	}
	d.wants(t, "one", 0, "exec", "keeper-image", "cat", "/x/file")
	d.wants(t, "one", 0, "exec", "keeper-runtime", "cat", "/y/file")
	for line := range strings.Lines(d.must(t, "ps", "-a", "--format", "{{.Names}} {{.State}}")) {
		name, state, _ := strings.Cut(strings.TrimSpace(line), " ")
		if strings.HasPrefix(name, "keeper-") {
			continue
		}
		switch state {
		case "running":
			d.wants(t, "one", 0, "exec", name, "sh", "-c", "cat /x/file || cat /y/file")
		case "created", "exited":
			d.must(t, "start", name)
		default:
			t.Errorf("%s: container %s is %s", when, name, state)
		}
		d.must(t, "rm", "-f", "-v", name)
	}
	var now []string
	await(t, "devices to go", func() bool {
		now = d.holdings(t)
		return len(now) <= len(d.before) || !slices.ContainsFunc(now, func(s string) bool { return strings.HasPrefix(s, "device") && !slices.Contains(d.before, s) })
	})
	if !slices.Equal(now, d.before) {
		t.Errorf("%s: the host has\n%s\nand had\n%s", when, strings.Join(now, "\n"), strings.Join(d.before, "\n"))
	}
	if got := len(strings.Fields(d.must(t, "volume", "ls", "-q"))); got != len(kinds) {
		t.Errorf("%s: %d volumes, want the %d of what runs", when, got, len(kinds))
	}
}

// empty removes everything, and looks whether a layer is left, because something holds it.
func (d *killDaemon) empty(t *testing.T) {
	t.Helper()
	d.wantsNothingHeld(t)
	d.must(t, "image", "prune", "-a", "-f")
	await(t, "the layers to go", func() bool {
		left, err := filepath.Glob(filepath.Join(d.Dir, "data/snapshots/*/snapshots/*"))
		return err == nil && len(left) == 0
	})
}

// A daemon that is killed at any point of the life of a container with mounted images, or of another runtime, leaves nothing
// of it that the next one does not know of.
func TestKilledAtPoints(t *testing.T) {
	d := newKillDaemon(t)
	for name, flags := range kinds {
		points := failpoints[name][0]
		if soaking() {
			points = append(points, failpoints[name][1]...)
		}
		for _, point := range points {
			when := name + " killed at " + point
			d.Kill()
			d.Programs = d.failing
			t.Setenv("DHOW_FAILPOINT", "engine:"+point)
			if err := d.Start(); err != nil {
				t.Fatal(err)
			}
			run := d.docker.Run(nil, slices.Concat([]string{"run", "-d", "--name", "victim"}, flags, []string{"busybox", "sleep", "1000"})...)
			if rm := d.docker.Run(nil, "rm", "-f", "-v", "victim"); rm.Code == 0 {
				t.Errorf("%s: nobody was killed: %s%s", when, run.Stderr, rm.Stderr)
			}
			d.Kill()
			d.Programs = programs
			t.Setenv("DHOW_FAILPOINT", "")
			d.restart(t, when)
		}
	}
	d.empty(t)
}

// The same at moments that nobody has chosen, with several on their way.
func TestKilledAtTimes(t *testing.T) {
	d := newKillDaemon(t)
	rounds, step := 3, 150
	if soaking() {
		rounds, step = 12, 40
	}
	for round := range rounds {
		var clients sync.WaitGroup
		for name, flags := range kinds {
			for i := range 2 {
				clients.Add(1)
				go func() {
					defer clients.Done()
					victim := fmt.Sprintf("%s-%d-%d", name, round, i)
					d.docker.Run(nil, slices.Concat([]string{"run", "-d", "--name", victim}, flags, []string{"busybox", "sleep", "1000"})...)
					d.docker.Run(nil, "rm", "-f", "-v", victim)
				}()
			}
		}
		time.Sleep(time.Duration(30+round*step) * time.Millisecond)
		d.Kill()
		clients.Wait()
		d.restart(t, fmt.Sprint("round ", round))
	}
	d.empty(t)
}
