package main

import (
	"bytes"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/runtime/checkpoint"
	"github.com/dhow-containers/dhow/runtime/container"
	"github.com/dhow-containers/dhow/runtime/plan"
	"github.com/dhow-containers/dhow/runtime/seccomp"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// fakeStore records the last call and answers with what it was given.
type fakeStore struct {
	call string
	args []any
	code int
	err  error

	infos   []*container.Info
	process *specs.Process
	pids    []int
	stats   *container.Stats
}

func (f *fakeStore) did(call string, args ...any) { f.call, f.args = call, args }

func (f *fakeStore) Create(id string, o container.CreateOptions) error {
	f.did("create", id, o)
	return f.err
}
func (f *fakeStore) Run(id string, o container.RunOptions) (int, error) {
	f.did("run", id, o)
	return f.code, f.err
}
func (f *fakeStore) Start(id string) error { f.did("start", id); return f.err }
func (f *fakeStore) State(id string) (*container.Info, error) {
	if f.did("state", id); f.err != nil {
		return nil, f.err
	}
	return f.infos[0], nil
}
func (f *fakeStore) List() ([]*container.Info, error) { f.did("list"); return f.infos, f.err }
func (f *fakeStore) Get(id string) (*container.Container, error) {
	return &container.Container{ID: id, Config: &specs.Spec{Process: f.process}}, f.err
}
func (f *fakeStore) Kill(id string, sig unix.Signal, all bool) error {
	f.did("kill", id, sig, all)
	return f.err
}
func (f *fakeStore) Delete(id string, force bool) error { f.did("delete", id, force); return f.err }
func (f *fakeStore) Exec(id string, o container.ExecOptions) (int, error) {
	f.did("exec", id, o)
	return f.code, f.err
}
func (f *fakeStore) Processes(id string) ([]int, error) { f.did("ps", id); return f.pids, f.err }
func (f *fakeStore) Pause(id string) error              { f.did("pause", id); return f.err }
func (f *fakeStore) Resume(id string) error             { f.did("resume", id); return f.err }
func (f *fakeStore) Update(id string, r *specs.LinuxResources) error {
	f.did("update", id, r)
	return f.err
}
func (f *fakeStore) UpdateIntelRdt(id, l3, memBw string) error {
	f.did("update-rdt", id, l3, memBw)
	return f.err
}
func (f *fakeStore) Checkpoint(id string, o checkpoint.Options) error {
	f.did("checkpoint", id, o)
	return f.err
}
func (f *fakeStore) Restore(id string, o container.RestoreOptions) (int, error) {
	f.did("restore", id, o)
	return f.code, f.err
}
func (f *fakeStore) Plan(id string, o container.CreateOptions) (*plan.Program, error) {
	f.did("plan", id, o)
	return &plan.Program{}, f.err
}

// fourFiles stands for inherit: the test program's own descriptors are left alone.
func fourFiles() (int, error) { return 4, nil }

// invoke runs one command line over f.
func invoke(f *fakeStore, args ...string) (code int, stdout, stderr string) {
	var out, errs bytes.Buffer
	a := &app{out: &out, err: &errs, inherit: fourFiles, open: func(*app) store { return f }}
	code = a.main(args)
	return code, out.String(), errs.String()
}

// expect runs a command line that must succeed, and checks the call it ends in.
func expect(t *testing.T, f *fakeStore, line string, call string, args ...any) string {
	t.Helper()
	code, out, errs := invoke(f, strings.Fields(line)...)
	if code != f.code || errs != "" {
		t.Fatalf("%s: exit %d, %s", line, code, errs)
	}
	if f.call != call || !reflect.DeepEqual(f.args, args) {
		t.Errorf("%s:\ncalled %s%+v\nwant   %s%+v", line, f.call, f.args, call, args)
	}
	return out
}

// refuse runs a command line that must fail before it does anything.
func refuse(t *testing.T, line string, code int, want string) {
	t.Helper()
	f := &fakeStore{process: &specs.Process{}}
	got, _, errs := invoke(f, strings.Fields(line)...)
	if got != code || errs != "runtime: "+want+"\n" || f.call != "" {
		t.Errorf("%s:\nexit %d, %scalled %q; want exit %d, %s", line, got, errs, f.call, code, want)
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs, run the test with -update and look at the change; got:\n%s", path, got)
	}
}

func sampleInfo() *container.Info {
	return &container.Info{
		State: specs.State{
			Version: "1.3.0", ID: "web", Status: specs.StateRunning, Pid: 42, Bundle: "/b/web",
			Annotations: map[string]string{"a": "<b>"},
		},
		Rootfs: "/b/web/rootfs", Owner: "root",
		Created: time.Date(2026, 3, 2, 12, 30, 0, 5000, time.FixedZone("", 3600)),
	}
}

func TestUsageErrors(t *testing.T) {
	refuse(t, "craete x", 1, `cannot run command "craete": no such command, did you mean "create"? (see 'runtime --help')`)
	refuse(t, "--rot /x list", 1, `cannot use --rot: no such flag, did you mean --root? (see 'runtime --help')`)
	refuse(t, "--log-format xml list", 1, `cannot use --log-format "xml": want text or json (see 'runtime --help')`)
	refuse(t, "--rootless 1 list", 1, `cannot use --rootless "1": want true or false or auto (see 'runtime --help')`)
	refuse(t, "list --quite", 1, `cannot use --quite: no such flag, did you mean --quiet? (see 'runtime list --help')`)
	refuse(t, "start", 1, `cannot start: it needs ID (see 'runtime start --help')`)
	refuse(t, "start a b", 1, `cannot start: unexpected argument "b" after ID (see 'runtime start --help')`)
	refuse(t, "list a", 1, `cannot list: unexpected argument "a" (see 'runtime list --help')`)
	refuse(t, "delete a --forced", 1, `cannot use --forced: no such flag, did you mean --force? (see 'runtime delete --help')`)
	refuse(t, "delete a -- --force", 1, `cannot delete: unexpected argument "--force" after ID (see 'runtime delete --help')`)
	refuse(t, "help nosuch", 1, `cannot show help: No help topic for 'nosuch'`)
	refuse(t, "nosuch -h", 1, `cannot show help: No help topic for 'nosuch'`)
}

func TestVersion(t *testing.T) {
	defer func(c string) { commit = c }(commit)
	commit = "abc"
	for _, flag := range []string{"-v", "--version", "-version"} {
		code, out, errs := invoke(nil, flag)
		lines := strings.Split(out, "\n")
		if code != 0 || errs != "" || len(lines) < 4 || lines[0] != "runtime version "+version ||
			lines[1] != "commit: abc" || lines[2] != "spec: 1.3.0" || !strings.HasPrefix(lines[3], "go: go1.") ||
			seccomp.Version() != "" && lines[4] != "libseccomp: "+seccomp.Version() {
			t.Errorf("%s: exit %d, %q, %q", flag, code, out, errs)
		}
	}
}

func TestGlobals(t *testing.T) {
	var seen globals
	a := &app{out: io.Discard, err: io.Discard, inherit: fourFiles, open: func(a *app) store { seen = a.globals; return &fakeStore{} }}
	if code := a.main(strings.Fields("--root / --systemd-cgroup -rootless=true --debug list")); code != 0 {
		t.Fatalf("exit %d", code)
	}
	want := globals{root: "/", systemdCgroup: true, rootless: "true", debug: true}
	if seen != want {
		t.Errorf("got %+v, want %+v", seen, want)
	}
}

func TestExitCodes(t *testing.T) {
	boom := errors.New("cannot boom")
	bundle := newBundle(t, "b")
	for _, tt := range []struct {
		line string
		code int
		err  error
		want int
	}{
		{"run " + bundle, 7, nil, 7},
		{"exec x true", 137, nil, 137},
		{"run " + bundle, 1, boom, 1},
		{"run " + bundle, 0, boom, 1},
		{"exec x true", 1, boom, 255},
		{"exec x", 0, nil, 255},
		{"exec --nosuch x", 0, nil, 1},
		{"start x", 0, boom, 1},
	} {
		f := &fakeStore{code: tt.code, err: tt.err, process: &specs.Process{}}
		if got, _, _ := invoke(f, strings.Fields(tt.line)...); got != tt.want {
			t.Errorf("%s: exit %d, want %d", tt.line, got, tt.want)
		}
	}
}

func TestRootDir(t *testing.T) {
	for _, tt := range []struct {
		flag string
		euid int
		xdg  string
		want string
	}{
		{"", 0, "/run/user/0", "/run/dhow"},
		{"", 424242, "/run/user/1000", "/run/user/1000/dhow"},
		{"", 424242, "", "/tmp/dhow-424242"},
		{"/x/../y", 0, "", "/y"},
		{"/x", 424242, "/run/user/1000", "/x"},
	} {
		t.Setenv("XDG_RUNTIME_DIR", tt.xdg)
		t.Setenv("USER", "root")
		if got := rootDir(tt.flag, tt.euid); got != tt.want {
			t.Errorf("%+v: got %s", tt, got)
		}
	}
}

// TestUserRoot: without $XDG_RUNTIME_DIR, the directory that it usually names is the user's only when it is the user's.
func TestUserRoot(t *testing.T) {
	dir := t.TempDir()
	if got := userRoot(os.Getuid(), "", dir); got != dir+"/dhow" {
		t.Errorf("got %s, want it below %s", got, dir)
	}
	if got, want := userRoot(os.Getuid()+1, "", dir), "/tmp/dhow-"+strconv.Itoa(os.Getuid()+1); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
