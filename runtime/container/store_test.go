package container

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// dead is the pid of a process that was.
func dead(t *testing.T) int {
	t.Helper()
	cmd := exec.Command("/bin/true")
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	return cmd.Process.Pid
}

// fake records a container whose init is pid (0: none yet); files are made beside the record.
func fake(t *testing.T, s *Store, id string, pid int, start uint64, files ...string) {
	t.Helper()
	dir, err := s.makeDir(id)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(dir)
	r := &record{ID: id, Bundle: "/b", Rootfs: "/b/r", Created: time.Unix(1e9, 0).UTC(), Config: []byte(`{"ociVersion":"1.3.0","annotations":{"a":"b"}}`), Pid: pid, StartTime: start}
	if err := writeFile(dir, "state.json", r.encode()); err != nil {
		t.Fatal(err)
	}
	if pid != 0 {
		if err := r.writeInit(dir); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range files {
		if err := writeFile(dir, name, nil); err != nil {
			t.Fatal(err)
		}
	}
}

// fakes is a store with a container in each state; "running" and "created" have this process as their init, which
// the tests must not kill.
func fakes(t *testing.T) *Store {
	t.Helper()
	s := &Store{Root: filepath.Join(t.TempDir(), "state")}
	me, _, err := startTime(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	fake(t, s, "creating", 0, 0)
	fake(t, s, "created", os.Getpid(), me, "start.sock", "steps")
	fake(t, s, "running", os.Getpid(), me)
	fake(t, s, "stopped", dead(t), 1)
	fake(t, s, "reused", os.Getpid(), me+1)
	return s
}

func TestStatus(t *testing.T) {
	s := fakes(t)
	for id, want := range map[string]specs.ContainerState{"creating": specs.StateCreating, "created": specs.StateCreated,
		"running": specs.StateRunning, "stopped": specs.StateStopped, "reused": specs.StateStopped} {
		info, err := s.State(id)
		if err != nil {
			t.Fatal(err)
		}
		alive := want == specs.StateCreated || want == specs.StateRunning
		if info.Status != want || (info.Pid == os.Getpid()) != alive || !alive && info.Pid != 0 {
			t.Errorf("%s is %s with pid %d", id, info.Status, info.Pid)
		}
		if info.ID != id || info.Bundle != "/b" || info.Rootfs != "/b/r" || info.Version != specs.Version || info.Annotations["a"] != "b" || info.Created.Unix() != 1e9 || info.Owner == "" {
			t.Errorf("%s is described as %+v", id, info)
		}
	}
	c, err := s.Get("running")
	if err != nil || c.ID != "running" || c.Bundle != "/b" || c.Config.Annotations["a"] != "b" {
		t.Errorf("Get gives %+v, %v", c, err)
	}
}

func isConflict(err error) bool { return errors.As(err, new(conflict)) }
func isMissing(err error) bool  { return errors.As(err, new(notFound)) }
func isInvalid(err error) bool  { return errors.As(err, new(invalid)) }

func TestWrongState(t *testing.T) {
	s := fakes(t)
	run := func(id string) error { _, err := s.Exec(id, ExecOptions{Process: &specs.Process{}}); return err }
	kill := func(sig unix.Signal) func(string) error {
		return func(id string) error { return s.Kill(id, sig, false) }
	}
	remove := func(id string) error { return s.Delete(id, false) }
	for name, c := range map[string]struct {
		id    string
		do    func(id string) error
		class func(error) bool
		want  string
	}{
		"start stopped":    {"stopped", s.Start, isConflict, "cannot start a container that has stopped"},
		"start running":    {"running", s.Start, isConflict, "cannot start an already running container"},
		"start creating":   {"creating", s.Start, isConflict, "is creating"},
		"start missing":    {"nobody", s.Start, isMissing, "container does not exist"},
		"start bad id":     {"../x", s.Start, isInvalid, "cannot use the container id"},
		"exec stopped":     {"stopped", run, isConflict, "cannot exec in a stopped container"},
		"exec creating":    {"creating", run, isConflict, "cannot exec in a creating container"},
		"exec missing":     {"nobody", run, isMissing, "container does not exist"},
		"kill stopped":     {"stopped", kill(unix.SIGTERM), isConflict, "container not running"},
		"kill reused pid":  {"reused", kill(unix.SIGKILL), isConflict, "container not running"},
		"kill creating":    {"creating", kill(unix.SIGTERM), isConflict, "container not running"},
		"kill missing":     {"nobody", kill(unix.SIGTERM), isMissing, "container does not exist"},
		"kill bad signal":  {"running", kill(99), isInvalid, "there is no signal 99"},
		"delete running":   {"running", remove, isConflict, "container is not stopped: running"},
		"delete creating":  {"creating", remove, isConflict, "container is not stopped: creating"},
		"delete missing":   {"nobody", remove, isMissing, "container does not exist"},
		"delete bad id":    {"..", func(id string) error { return s.Delete(id, true) }, isInvalid, "it names a directory"},
		"state of missing": {"nobody", func(id string) error { _, err := s.State(id); return err }, isMissing, "container does not exist"},
		"get of missing":   {"nobody", func(id string) error { _, err := s.Get(id); return err }, isMissing, "container does not exist"},
		"ps of missing":    {"nobody", func(id string) error { _, err := s.Processes(id); return err }, isMissing, "container does not exist"},
	} {
		t.Run(name, func(t *testing.T) {
			err := c.do(c.id)
			if err == nil || !c.class(err) || !strings.HasPrefix(err.Error(), "cannot ") || !strings.Contains(err.Error(), c.want) {
				t.Errorf("the error is %v (%T)", err, err)
			}
			if _, err := s.State("running"); err != nil {
				t.Errorf("another container is gone: %v", err)
			}
		})
	}
}

func TestKill(t *testing.T) {
	if err := fakes(t).Kill("running", 0, false); err != nil {
		t.Error(err)
	}
}

func TestDelete(t *testing.T) {
	s := fakes(t)
	for _, id := range []string{"stopped", "reused"} {
		if err := s.Delete(id, false); err != nil {
			t.Error(err)
		}
	}
	if err := s.Delete("creating", true); err != nil {
		t.Error(err)
	}
	if err := s.Delete("nobody", true); err != nil {
		t.Errorf("delete --force of what is not there: %v", err)
	}
	names, err := os.ReadDir(s.Root)
	if err != nil || len(names) != 2 || names[0].Name() != "created" || names[1].Name() != "running" {
		t.Errorf("what is left: %v, %v", names, err)
	}
}

// TestDeleteUnrecorded: a crash between making the directory and writing the record leaves what delete --force takes.
func TestDeleteUnrecorded(t *testing.T) {
	for name, files := range map[string][]string{"empty": nil, "half written": {"state.json.new"}, "half removed": {"init", "start.sock"}} {
		t.Run(name, func(t *testing.T) {
			s := &Store{Root: t.TempDir()}
			dir := filepath.Join(s.Root, "c1")
			if err := os.Mkdir(dir, 0o700); err != nil {
				t.Fatal(err)
			}
			for _, f := range files {
				if err := os.WriteFile(filepath.Join(dir, f), nil, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if err := s.Delete("c1", false); err == nil {
				t.Error("delete without --force takes it")
			}
			if err := s.Delete("c1", true); err != nil {
				t.Error(err)
			}
			if _, err := os.Lstat(dir); !os.IsNotExist(err) {
				t.Errorf("the directory is still there: %v", err)
			}
		})
	}
}

// TestDeleteUnreadable: delete --force takes a container whose record cannot be read, and nothing else of the store.
func TestDeleteUnreadable(t *testing.T) {
	whole := string((&record{ID: "c1", Bundle: "/b", Config: []byte(smallConfig)}).encode())
	for name, files := range map[string]map[string]string{
		"empty":       {"state.json": ""},
		"zeros":       {"state.json": strings.Repeat("\x00", 4096)},
		"truncated":   {"state.json": whole[:len(whole)/2]},
		"corrupt":     {"state.json": strings.Replace(whole, `"bundle"`, "x", 1)},
		"another's":   {"state.json": strings.Replace(whole, `"c1"`, `"running"`, 1)},
		"empty init":  {"state.json": whole, "init": ""},
		"broken init": {"state.json": whole, "init": "x 7\n"},
		"init 0":      {"state.json": whole, "init": "0 7\n"},
		"all files":   {"state.json": "{", "init": "", "start.sock": "", "steps": "", "state.json.new": ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := fakes(t)
			dir := filepath.Join(s.Root, "c1")
			try(t, os.Mkdir(dir, 0o700))
			for file, text := range files {
				try(t, os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600))
			}
			if err := s.Delete("c1", false); err == nil || !strings.Contains(err.Error(), `container "c1"`) {
				t.Errorf("delete without --force says %v", err)
			}
			try(t, s.Delete("c1", true))
			if _, err := os.Lstat(dir); !os.IsNotExist(err) {
				t.Errorf("the directory is still there: %v", err)
			}
			if list, err := s.List(); err != nil || len(list) != 5 {
				t.Errorf("of 5 others there are %d, %v", len(list), err)
			}
		})
	}
}

// TestBundleNotUTF8: a path that no record can hold is refused before anything is made.
func TestBundleNotUTF8(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root, which is checked first")
	}
	s := &Store{Root: filepath.Join(t.TempDir(), "state")}
	bundle := filepath.Join(t.TempDir(), "b\xff")
	try(t, os.Mkdir(bundle, 0o755))
	try(t, os.WriteFile(filepath.Join(bundle, "config.json"), []byte(smallConfig), 0o644))
	err := s.Create("c1", CreateOptions{Bundle: bundle})
	if !isInvalid(err) || !strings.Contains(err.Error(), "not UTF-8") || !strings.Contains(err.Error(), `b\xff`) {
		t.Errorf("the error is %v", err)
	}
	if _, err := os.Lstat(s.Root); !os.IsNotExist(err) {
		t.Errorf("there is a state directory: %v", err)
	}
}

func TestList(t *testing.T) {
	s := fakes(t)
	if list, err := (&Store{Root: filepath.Join(s.Root, "none")}).List(); err != nil || len(list) != 0 {
		t.Errorf("a store without a directory lists %v, %v", list, err)
	}
	for _, dir := range []string{"@seccomp", "no-record", "garbage", "other-id", "bad name", "bad-init"} {
		if err := os.Mkdir(filepath.Join(s.Root, dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	good := string((&record{ID: "bad-init", Config: []byte(smallConfig)}).encode())
	for name, text := range map[string]string{"file": "x", "garbage/state.json": "{", "other-id/state.json": good, "bad-init/state.json": good, "bad-init/init": "-1 x\n"} {
		if err := os.WriteFile(filepath.Join(s.Root, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("running", filepath.Join(s.Root, "link")); err != nil {
		t.Fatal(err)
	}
	list, err := s.List()
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, info := range list {
		ids = append(ids, info.ID)
	}
	if got := strings.Join(ids, " "); got != "created creating reused running stopped" {
		t.Errorf("the list is %s", got)
	}
}

func TestMakeDir(t *testing.T) {
	s := &Store{Root: filepath.Join(t.TempDir(), "a/b")}
	fd, err := s.makeDir("c1")
	if err != nil {
		t.Fatal(err)
	}
	unix.Close(fd)
	for _, dir := range []string{s.Root, filepath.Join(s.Root, "c1")} {
		if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
			t.Errorf("%s is %v, %v (security rule 7)", dir, info.Mode(), err)
		}
	}
	if _, err := s.makeDir("c1"); !errors.As(err, new(alreadyExists)) || !strings.Contains(err.Error(), "already exists") {
		t.Errorf("the second time: %v", err)
	}
}
