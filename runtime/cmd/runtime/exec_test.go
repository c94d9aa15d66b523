package main

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"

	"github.com/dhow-containers/dhow/runtime/container"
)

func configProcess() *specs.Process {
	return &specs.Process{
		Terminal: true, Args: []string{"sh"}, Env: []string{"PATH=/bin"}, Cwd: "/",
		User: specs.User{UID: 1, GID: 2, AdditionalGids: []uint32{3}},
		Capabilities: &specs.LinuxCapabilities{
			Bounding: []string{"CAP_KILL"}, Permitted: []string{"CAP_KILL"},
			Inheritable: []string{"CAP_CHOWN"},
		},
		ApparmorProfile: "p", Rlimits: []specs.POSIXRlimit{{Type: "RLIMIT_NOFILE"}},
	}
}

// execProcess runs exec and returns the process it asks for.
func execProcess(t *testing.T, args ...string) (specs.Process, container.ExecOptions) {
	t.Helper()
	f := &fakeStore{process: configProcess(), code: 5}
	code, _, errs := invoke(f, append([]string{"exec"}, args...)...)
	if code != 5 || errs != "" || f.args[0] != "web" {
		t.Fatalf("%q: exit %d, %s", args, code, errs)
	}
	if !reflect.DeepEqual(f.process, configProcess()) {
		t.Errorf("%q changed the container's config: %+v", args, f.process)
	}
	o := f.args[1].(container.ExecOptions)
	p := *o.Process
	o.Process = nil
	return p, o
}

func TestExecPlain(t *testing.T) {
	p, o := execProcess(t, "web", "ls", "-l", "--cwd")
	want := configProcess()
	want.Terminal = false
	want.Args = []string{"ls", "-l", "--cwd"}
	if !reflect.DeepEqual(p.Args, want.Args) || p.Terminal || p.Cwd != "/" || p.User.UID != 1 || p.ApparmorProfile != "p" || len(p.Rlimits) != 1 {
		t.Errorf("got %+v", p)
	}
	if !reflect.DeepEqual(o, container.ExecOptions{}) {
		t.Errorf("got %+v", o)
	}
}

func TestExecProcessFlags(t *testing.T) {
	p, _ := execProcess(t, "--cwd", "/tmp", "-e", "A=1", "--env", "B=2", "-t", "-u", "10:20", "-g", "30", "-g", "31",
		"--process-label", "l", "--apparmor", "q", "--no-new-privs", "-c", "CAP_KILL", "-c", "CAP_CHOWN", "web", "id")
	if p.Cwd != "/tmp" || !p.Terminal || p.SelinuxLabel != "l" || p.ApparmorProfile != "q" || !p.NoNewPrivileges {
		t.Errorf("got %+v", p)
	}
	if got := strings.Join(p.Env, " "); got != "PATH=/bin A=1 B=2" {
		t.Errorf("env %s", got)
	}
	if want := (specs.User{UID: 10, GID: 20, AdditionalGids: []uint32{3, 30, 31}}); !reflect.DeepEqual(p.User, want) {
		t.Errorf("user %+v", p.User)
	}
	want := &specs.LinuxCapabilities{
		Bounding: []string{"CAP_KILL", "CAP_CHOWN"}, Effective: []string{"CAP_KILL", "CAP_CHOWN"},
		Permitted: []string{"CAP_KILL", "CAP_CHOWN"}, Inheritable: []string{"CAP_CHOWN"}, Ambient: []string{"CAP_CHOWN"},
	}
	if !reflect.DeepEqual(p.Capabilities, want) {
		t.Errorf("capabilities %+v", p.Capabilities)
	}
	if p, _ := execProcess(t, "-u", "10", "web", "id"); p.User.UID != 10 || p.User.GID != 2 {
		t.Errorf("user %+v", p.User)
	}
}

func TestExecOptions(t *testing.T) {
	_, o := execProcess(t, "--console-socket", "/s", "--pidfd-socket", "/q", "-d", "--pid-file", "f", "--preserve-fds", "2",
		"--cgroup", "cpu:/a", "--cgroup", "/b", "--ignore-paused", "web", "id")
	want := container.ExecOptions{
		ConsoleSocket: "/s", PidfdSocket: "/q", Detach: true, PidFile: "f", PreserveFDs: 2,
		Cgroups: []string{"cpu:/a", "/b"}, IgnorePaused: true,
	}
	if !reflect.DeepEqual(o, want) {
		t.Errorf("got %+v, want %+v", o, want)
	}
}

func TestExecProcessFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "process.json")
	const text = `{"terminal":true,"user":{"uid":9},"args":["ps"],"cwd":"/x"}`
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	p, _ := execProcess(t, "-p", path, "web")
	if !p.Terminal || p.User.UID != 9 || p.Args[0] != "ps" || p.Cwd != "/x" || p.Env != nil {
		t.Errorf("got %+v", p)
	}
	refuse(t, "exec -p "+path+" web ls", 255, `cannot exec: --process leaves no place for "ls" (see 'runtime exec --help')`)
}

func TestExecErrors(t *testing.T) {
	refuse(t, "exec web", 255, "cannot exec: it needs a COMMAND or --process (see 'runtime exec --help')")
	refuse(t, "exec -u root web id", 255, `cannot use --user "root": "root" is not an id, want a number from 0 to 4294967294 (see 'runtime exec --help')`)
	refuse(t, "exec -u 1: web id", 255, `cannot use --user "1:": "" is not an id, want a number from 0 to 4294967294 (see 'runtime exec --help')`)
	refuse(t, "exec -g 4294967295 web id", 255, `cannot use --additional-gids "4294967295": "4294967295" is not an id, want a number from 0 to 4294967294 (see 'runtime exec --help')`)
	refuse(t, "exec -p /nosuch web", 255, "cannot read --process: open /nosuch: no such file or directory")
	refuse(t, "exec", 1, "cannot exec: it needs ID COMMAND [ARGUMENTS] (see 'runtime exec --help')")
}
