package engine

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/dhow-containers/dhow/integration"
)

// A daemon is a dhowd, and the docker CLI that speaks to it, or dhow where there is none.
type daemon struct {
	*integration.Engine
	docker *integration.Client
}

func makeDaemon(dir string, flags ...string) *daemon {
	d := &daemon{Engine: integration.NewDhowd(dir, programs, append([]string{"-D"}, flags...)...)}
	if peer := os.Getenv("DHOW_TEST_DOCKERD"); peer != "" { // are the tests right?
		d.Engine = integration.NewDockerd(dir, peer, append([]string{"--userland-proxy=false"}, flags...)...)
	}
	program := dockerProgram()
	if program == "" {
		program = filepath.Join(programs, "dhow")
	}
	d.docker = d.client(program)
	return d
}

func (d *daemon) client(program string) *integration.Client {
	return &integration.Client{Program: program, Socket: d.Socket(), Home: d.Dir}
}

// newDaemon starts one, with a directory that is the test's.
func newDaemon(t *testing.T, flags ...string) *daemon {
	t.Helper()
	needRoot(t)
	d := makeDaemon(t.TempDir(), flags...)
	t.Cleanup(func() {
		if err := d.end(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Logf("the daemon's log:\n%s", d.LogTail(60))
		}
	})
	if err := d.Start(); err != nil {
		t.Fatal(err)
	}
	return d
}

func needRoot(t *testing.T) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("needs root")
	}
}

// end removes all containers, and the daemon.
func (d *daemon) end() error {
	if !d.Running() {
		if err := d.Start(); err != nil {
			return err
		}
	}
	if err := d.docker.RemoveAll(); err != nil {
		return err
	}
	return d.Stop()
}

// dockerProgram is the real docker CLI, "" where there is none.
var dockerProgram = sync.OnceValue(func() string {
	path, _ := exec.LookPath("docker")
	return path
})

// must runs docker, which has to succeed, and returns what it prints.
func (d *daemon) must(t *testing.T, args ...string) string {
	t.Helper()
	out, err := d.docker.Do(args...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// wants runs docker, which has to print and exit like that.
func (d *daemon) wants(t *testing.T, stdout string, code int, args ...string) {
	t.Helper()
	if r := d.docker.Run(nil, args...); strings.TrimSpace(r.Stdout) != stdout || r.Code != code {
		t.Errorf("docker %s: printed %q, exit %d (%s); want %q, %d", strings.Join(args, " "), r.Stdout, r.Code, strings.TrimSpace(r.Stderr), stdout, code)
	}
}

// load gives the daemon the image busybox.
func (d *daemon) load(t *testing.T) {
	t.Helper()
	d.must(t, "load", "-q", "-i", busybox)
}

var shared struct {
	sync.Mutex
	d   *daemon
	err error
}

// sharedDaemon is one that many tests use, with busybox loaded.
func sharedDaemon(t *testing.T) *daemon {
	t.Helper()
	needRoot(t)
	shared.Lock()
	defer shared.Unlock()
	if shared.d == nil {
		dir := filepath.Join(filepath.Dir(busybox), "shared")
		if shared.err = os.Mkdir(dir, 0o755); shared.err == nil {
			shared.d = makeDaemon(dir)
			shared.err = shared.d.Start()
		}
		if shared.err == nil {
			shared.d.load(t)
		}
	}
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	return shared.d
}

// endShared ends it.
func endShared() error {
	if shared.d == nil || shared.err != nil {
		return nil
	}
	if err := shared.d.end(); err != nil {
		return fmt.Errorf("%w\n%s", err, shared.d.LogTail(60))
	}
	return nil
}
