package command_test

import (
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/containerd/errdefs"
	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/runtime/checkpoint"
	"github.com/dhow-containers/dhow/runtime/container"
	"github.com/dhow-containers/dhow/shim/command"
)

// streams are /dev/null.
func streams(t *testing.T) *[3]uintptr {
	t.Helper()
	f, err := os.OpenFile("/dev/null", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return &[3]uintptr{f.Fd(), f.Fd(), f.Fd()}
}

// ends ends a process that came about.
func ends(t *testing.T, p *container.Process, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.Kill(p.Pid, unix.SIGKILL); err != nil {
		t.Error(err)
	}
}

// Each method's command line, which is runc's.
func TestCommandLines(t *testing.T) {
	w := newWorld(t, "works")
	stdio := streams(t)
	memory := int64(1 << 20)
	for _, c := range []struct {
		name string
		do   func() error
		want []string
	}{
		{"create", func() error {
			p, err := w.CreateProcess("c", container.CreateOptions{Bundle: w.Bundle, PidFile: w.Bundle + "/init.pid", NoPivot: true, NoNewKeyring: true, Stdio: stdio})
			ends(t, p, err)
			return os.MkdirAll(w.Root+"/c", 0o700)
		}, []string{"create --bundle BUNDLE --no-pivot --no-new-keyring --pid-file BUNDLE/init.pid c"}},
		{"exec", func() error {
			p, err := w.StartExec("c", container.ExecOptions{Process: &specs.Process{Args: []string{"x"}, Cwd: "/"}, Stdio: stdio})
			ends(t, p, err)
			return nil
		}, []string{"exec --detach --process FILE --pid-file BUNDLE/runtime.1.pid c", `{"user":{"uid":0,"gid":0},"args":["x"],"cwd":"/"}`}},
		{"start", func() error { return w.Start("c") }, []string{"start c"}},
		{"kill", func() error { return w.Kill("c", unix.SIGTERM, false) }, []string{"kill c 15"}},
		{"kill all", func() error { return w.Kill("c", unix.SIGKILL, true) }, []string{"kill --all c 9"}},
		{"pause", func() error { return w.Pause("c") }, []string{"pause c"}},
		{"resume", func() error { return w.Resume("c") }, []string{"resume c"}},
		{"update", func() error {
			return w.Update("c", &specs.LinuxResources{Memory: &specs.LinuxMemory{Limit: &memory}})
		}, []string{"update --resources FILE c", `{"memory":{"limit":1048576}}`}},
		{"delete", func() error { return w.Delete("c", false) }, []string{"delete c"}},
		{"delete by force", func() error { return w.Delete("c", true) }, []string{"delete --force c"}},
		{"state", func() error {
			info, err := w.State("c")
			if err == nil && (info.Pid != 17 || info.Status != "running") {
				t.Errorf("state: %+v", info)
			}
			return err
		}, []string{"state c"}},
	} {
		if err := c.do(); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if got := w.called(t); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q", c.name, got)
		}
	}
	w.SystemdCgroup = true
	if err := w.Start("c"); err != nil {
		t.Error(err)
	}
	if got := w.called(t); !strings.HasPrefix(got[0], "--systemd-cgroup start") {
		t.Errorf("with systemd: %q", got)
	}
	left, err := os.ReadDir(w.Bundle)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range left {
		if f.Name() != "init.pid" && f.Name() != command.GroupsFile {
			t.Errorf("left in the bundle: %s", f.Name())
		}
	}
}

// A terminal comes over the socket, at paths of any length.
func TestTerminal(t *testing.T) {
	w := newWorld(t, "works")
	p, err := w.CreateProcess("c", container.CreateOptions{Bundle: w.Bundle, PidFile: w.Bundle + "/init.pid"})
	ends(t, p, err)
	defer p.Terminal.Close()
	if _, err := unix.IoctlGetWinsize(int(p.Terminal.Fd()), unix.TIOCGWINSZ); err != nil {
		t.Errorf("it is no terminal: %v", err)
	}
	if got := w.called(t); got[0] != "create --bundle BUNDLE --pid-file BUNDLE/init.pid --console-socket FILE c" {
		t.Errorf("%q", got)
	}
	w = newWorld(t, "no terminal")
	if _, err := w.CreateProcess("c", container.CreateOptions{Bundle: w.Bundle, PidFile: w.Bundle + "/init.pid"}); err == nil || !strings.Contains(err.Error(), "nothing was sent") {
		t.Errorf("got %v", err)
	}
}

// What went wrong is said in the runtime's words, else in ours with its name.
func TestFailures(t *testing.T) {
	for how, want := range map[string]string{
		"log":     `it "broke"`,
		"words":   "has failed: two",
		"exit":    "has failed: exit status 9",
		"killed":  "has failed: killed by signal 9 (SIGKILL)",
		"garbage": "cannot read the state",
	} {
		w := newWorld(t, how)
		_, err := w.State("c")
		if err == nil || !strings.Contains(err.Error(), want) || how != "log" && !strings.Contains(err.Error(), w.Path) {
			t.Errorf("%s: %v", how, err)
		}
	}
	for path, want := range map[string]string{
		"/no/such": `cannot run the runtime "/no/such": no such file or directory`,
		"no-such":  `cannot run the runtime "no-such": executable file not found in $PATH`,
		"/etc":     `cannot run the runtime "/etc": permission denied`,
	} {
		r := &command.Runtime{Path: path, Root: t.TempDir(), Bundle: t.TempDir()}
		if _, err := r.CreateProcess("c", container.CreateOptions{Stdio: streams(t)}); err == nil || err.Error() != want {
			t.Errorf("%s: %v", path, err)
		}
	}
}

// A container that the runtime does not have is not found; to remove it is no work.
func TestMissing(t *testing.T) {
	w := newWorld(t, "exit")
	for what, err := range map[string]error{
		"kill": w.Kill("c", unix.SIGTERM, false), "delete": w.Delete("c", false),
		"state": func() error { _, err := w.State("c"); return err }(),
	} {
		if !errdefs.IsNotFound(err) {
			t.Errorf("%s: %v", what, err)
		}
	}
	w.called(t)
	if err := w.Delete("c", true); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(w.calls); err == nil {
		t.Errorf("by force: called %q", w.called(t))
	}
}

// A runtime that leaves something when create fails is told to remove it.
func TestFailedCreate(t *testing.T) {
	w := newWorld(t, "exit")
	if err := os.MkdirAll(w.Root+"/c", 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := w.CreateProcess("c", container.CreateOptions{Bundle: w.Bundle, PidFile: w.Bundle + "/p", Stdio: streams(t)}); err == nil {
		t.Error("it has not failed")
	}
	if got := w.called(t); len(got) != 2 || got[1] != "delete --force c" {
		t.Errorf("%q", got)
	}
}

func TestCheckpointRefused(t *testing.T) {
	w := newWorld(t, "works")
	_, restore := w.RestoreProcess("c", container.RestoreOptions{})
	if err := w.Checkpoint("c", checkpoint.Options{}); !errdefs.IsNotImplemented(err) || !errdefs.IsNotImplemented(restore) {
		t.Errorf("%v, %v", err, restore)
	}
}

// Nobody else reaps while the program runs.
func TestHold(t *testing.T) {
	w := newWorld(t, "works")
	var order []string
	w.Hold = func() func() {
		order = append(order, "hold")
		return func() { order = append(order, "release") }
	}
	if err := w.Start("c"); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(order, []string{"hold", "release"}) {
		t.Errorf("%q", order)
	}
	if _, err := command.Groups(w.Bundle); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("groups of a container that was not created: %v", err)
	}
}
