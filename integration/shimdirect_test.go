package integration

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"github.com/opencontainers/runtime-spec/specs-go/features"
	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/shim/ttrpc"
	"github.com/dhow-containers/dhow/shim/wire"
)

// shimDirect plays containerd's part for one shim.
type shimDirect struct {
	t         *testing.T
	namespace string
	id        string
	bundle    *Bundle
	client    *ttrpc.Client
	socket    string
	events    *shimEvents
}

// shimEvents takes the events that a shim publishes: topic, and the exec for which it is.
type shimEvents struct {
	mu     sync.Mutex
	list   []string
	server *ttrpc.Server
}

func (e *shimEvents) all() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.list)
}

// newShimDirect starts a shim for a new bundle.
func newShimDirect(t *testing.T, edits ...Edit) *shimDirect {
	t.Helper()
	onlyDhow(t, "the shim is ours")
	t.Parallel()
	s := &shimDirect{t: t, id: "c1", bundle: newBundle(t, edits...)}
	s.namespace = fmt.Sprintf("dhowtest-%d-%d", os.Getpid(), idCounter.Add(1))
	s.bundle.Spec.Linux.CgroupsPath = "/" + s.namespace + "/" + s.id
	must(t, s.bundle.Save())
	s.listenEvents()
	out := s.shim("start")
	t.Cleanup(s.end)
	s.socket = strings.TrimPrefix(out, "unix://")
	s.client = s.dial()
	return s
}

func (s *shimDirect) dial() *ttrpc.Client {
	s.t.Helper()
	c, err := ttrpc.Dial(s.socket)
	must(s.t, err)
	s.t.Cleanup(func() { c.Close() })
	return c
}

// shim runs the program as containerd does.
func (s *shimDirect) shim(action string) string {
	s.t.Helper()
	cmd := exec.Command(filepath.Join(filepath.Dir(underTest.runtime), "containerd-shim-dhow-v2"), "-namespace", s.namespace,
		"-address", s.events.address(), "-publish-binary", "/nonexistent", "-id", s.id, "-bundle", s.bundle.Dir, action)
	cmd.Dir = s.bundle.Dir
	cmd.Env = append(os.Environ(), "TTRPC_ADDRESS="+s.events.address())
	out, err := cmd.CombinedOutput()
	if err != nil {
		s.t.Fatalf("%s: %v: %s", action, err, out)
	}
	return string(out)
}

// end checks that `delete` removes whatever the test has left, also twice.
func (s *shimDirect) end() {
	s.t.Helper()
	for _, item := range processesOf(s.namespace) {
		pid, _ := strconv.Atoi(strings.Fields(item)[1])
		if strings.Contains(item, "containerd-shim-dhow-v2") {
			unix.Kill(pid, unix.SIGKILL)
		}
	}
	s.shim("delete")
	s.shim("delete")
	checkGone(s.t, s.namespace+"/")
	for _, path := range []string{s.socket, "/run/containerd/dhow/" + s.namespace + "/" + s.id} {
		if _, err := os.Lstat(path); err == nil {
			s.t.Errorf("%s is still there", path)
		}
	}
	os.RemoveAll("/run/containerd/dhow/" + s.namespace)
	for _, group := range cgroupsOf(s.namespace) {
		if path, ok := strings.CutPrefix(group, "cgroup "); ok {
			unix.Rmdir(path)
		}
	}
	s.events.server.Close()
}

func (e *shimEvents) address() string { return e.server.Address() }

// call makes a call of the task service.
func (s *shimDirect) call(method string, m wire.Func, fields func(int, wire.Value) error) error {
	return call(s.client, method, m, fields)
}

type receiver func(int, wire.Value) error

func (r receiver) Field(n int, v wire.Value) error {
	if r == nil {
		return nil
	}
	return r(n, v)
}

func call(c *ttrpc.Client, method string, m wire.Func, fields receiver) error {
	if m == nil {
		m = func(*wire.Encoder) {}
	}
	return c.Call("containerd.task.v2.Task", method, m, fields, patience)
}

// target is a request for the container, or an exec in it.
func (s *shimDirect) target(exec string, more ...func(*wire.Encoder)) wire.Func {
	return func(e *wire.Encoder) {
		e.String(1, s.id)
		e.String(2, exec)
		for _, f := range more {
			f(e)
		}
	}
}

// must makes a call that has to succeed.
func (s *shimDirect) must(method string, m wire.Func) {
	s.t.Helper()
	if err := s.call(method, m, nil); err != nil {
		s.t.Fatalf("%s: %v", method, err)
	}
}

// fails makes a call that has to fail with this code.
func (s *shimDirect) fails(method string, m wire.Func, code ttrpc.Code) {
	s.t.Helper()
	var status *ttrpc.Error
	if err := s.call(method, m, nil); !errors.As(err, &status) || status.Code != code {
		s.t.Errorf("%s: got %v, want code %d", method, err, code)
	}
}

func (s *shimDirect) create(stdout string, more ...func(*wire.Encoder)) {
	s.t.Helper()
	s.must("Create", func(e *wire.Encoder) {
		e.String(1, s.id)
		e.String(2, s.bundle.Dir)
		e.String(6, stdout)
		for _, f := range more {
			f(e)
		}
	})
}

func (s *shimDirect) kill(exec string, sig unix.Signal) wire.Func {
	return s.target(exec, func(e *wire.Encoder) { e.Uint(3, uint64(sig)) })
}

// exec makes an exec known.
func (s *shimDirect) exec(id string, args ...string) {
	s.t.Helper()
	p := *s.bundle.Spec.Process
	p.Args = args
	text, err := json.Marshal(&p)
	must(s.t, err)
	s.must("Exec", s.target(id, func(e *wire.Encoder) {
		e.Message(7, &wire.Any{URL: "types.containerd.io/opencontainers/runtime-spec/1/Process", Value: text})
	}))
}

// wait returns the exit status of a process.
func (s *shimDirect) wait(exec string) (status uint64) {
	s.t.Helper()
	if err := s.call("Wait", s.target(exec), func(n int, v wire.Value) error {
		if n == 1 {
			status = v.Uint
		}
		return nil
	}); err != nil {
		s.t.Errorf("Wait: %v", err)
	}
	return status
}

// state returns the status of a process: 1 created, 2 running, 3 stopped, 4 paused.
func (s *shimDirect) state(exec string) (status uint64) {
	s.t.Helper()
	if err := s.call("State", s.target(exec), func(n int, v wire.Value) error {
		if n == 4 {
			status = v.Uint
		}
		return nil
	}); err != nil {
		s.t.Errorf("State: %v", err)
	}
	return status
}

func (s *shimDirect) listenEvents() {
	s.t.Helper()
	dir, err := os.MkdirTemp("", "dhowev")
	must(s.t, err)
	s.t.Cleanup(func() { os.RemoveAll(dir) })
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	must(s.t, err)
	must(s.t, unix.Bind(fd, &unix.SockaddrUnix{Name: dir + "/s"}))
	must(s.t, unix.Listen(fd, 8))
	s.events = &shimEvents{}
	s.events.server, err = ttrpc.NewServer(fd)
	must(s.t, err)
	s.events.server.Register("containerd.services.events.ttrpc.v1.Events", map[string]ttrpc.Method{"Forward": s.events.take})
	go s.events.server.Serve()
}

// take notes an event: its topic, and who it is about if that is not the container.
func (e *shimEvents) take(_ context.Context, request []byte) (wire.Message, error) {
	topic, who := "", ""
	err := wire.Fields(request, func(_ int, v wire.Value) error {
		return wire.Fields(v.Bytes, func(n int, v wire.Value) error {
			switch n {
			case 3:
				topic = strings.TrimPrefix(v.String(), "/tasks/")
			case 4:
				var a wire.Any
				if err := wire.Unmarshal(v.Bytes, &a); err != nil {
					return err
				}
				return wire.Fields(a.Value, func(n int, v wire.Value) error {
					if n == 2 && (strings.HasPrefix(topic, "exec") || topic == "exit") && v.String() != "c1" {
						who = ":" + v.String()
					}
					if n == 4 && topic == "exit" {
						who += "=" + strconv.FormatUint(v.Uint, 10)
					}
					return nil
				})
			}
			return nil
		})
	})
	e.mu.Lock()
	defer e.mu.Unlock()
	e.list = append(e.list, topic+who)
	return nil, err
}

// expect waits for exactly these events.
func (s *shimDirect) expect(want ...string) {
	s.t.Helper()
	for end := time.Now().Add(patience); len(s.events.all()) < len(want) && time.Now().Before(end); {
		time.Sleep(5 * time.Millisecond)
	}
	if got := s.events.all(); !slices.Equal(got, want) {
		s.t.Errorf("events\ngot  %q\nwant %q", got, want)
	}
}

func sleeps(b *Bundle) { b.Spec.Process.Args = []string{"sleep", "1000"} }

// TestShimTaskLife goes through a life with an exec whose exit comes after that of the init was asked for.
func TestShimTaskLife(t *testing.T) {
	s := newShimDirect(t, sleeps)
	s.create("")
	s.fails("Create", func(e *wire.Encoder) { e.String(1, s.id); e.String(2, s.bundle.Dir) }, ttrpc.AlreadyExists)
	if got := s.state(""); got != 1 {
		t.Errorf("state %d, want created", got)
	}
	s.must("Start", s.target(""))
	s.fails("Start", s.target(""), ttrpc.FailedPrecondition)
	s.fails("Delete", s.target(""), ttrpc.FailedPrecondition)
	s.fails("State", s.target("none"), ttrpc.NotFound)
	s.exec("e1", "sleep", "1000")
	s.fails("Kill", s.kill("e1", unix.SIGKILL), ttrpc.FailedPrecondition)
	s.must("Start", s.target("e1"))
	s.exec("e2", "sh", "-c", "exit 3")
	s.must("Start", s.target("e2"))
	if got := s.wait("e2"); got != 3 {
		t.Errorf("exit status %d of e2", got)
	}
	s.fails("Kill", s.kill("e2", unix.SIGKILL), ttrpc.NotFound)
	s.must("Delete", s.target("e2"))
	s.exec("e3", "true")
	s.must("Delete", s.target("e3")) // never started
	s.must("Kill", s.kill("", unix.SIGKILL))
	if got := s.wait(""); got != 137 {
		t.Errorf("exit status %d", got)
	}
	if got := s.state("e1"); got != 3 {
		t.Errorf("e1 is in state %d after the init has ended", got)
	}
	s.exec("e4", "true")
	s.fails("Start", s.target("e4"), ttrpc.FailedPrecondition)
	s.fails("Kill", s.kill("", unix.SIGKILL), ttrpc.NotFound)
	s.must("Delete", s.target(""))
	s.fails("State", s.target(""), ttrpc.NotFound)
	s.expect("create", "start", "exec-added:e1", "exec-started:e1", "exec-added:e2", "exec-started:e2", "exit:e2=3", "exec-added:e3",
		"exit:e1=137", "exit=137", "exec-added:e4", "delete")
	s.must("Shutdown", s.target(""))
	await(t, "the shim's end", func() bool { _, err := os.Stat(s.socket); return err != nil && len(processesOf(s.namespace)) == 0 })
}

// TestShimKillBeforeStart kills a container that is only created.
func TestShimKillBeforeStart(t *testing.T) {
	s := newShimDirect(t, sleeps)
	s.create("")
	s.must("Kill", s.kill("", unix.SIGKILL))
	if got := s.wait(""); got != 137 {
		t.Errorf("exit status %d", got)
	}
	if err := s.call("Start", s.target(""), nil); err == nil {
		t.Error("started a container that has ended")
	}
	s.must("Delete", s.target(""))
	s.expect("create", "exit=137", "delete")
}

// TestShimShortLives starts what ends at once: the event of the start comes first all the same.
func TestShimShortLives(t *testing.T) {
	s := newShimDirect(t, sleeps)
	s.create("")
	s.must("Start", s.target(""))
	want := []string{"create", "start"}
	for i := range 30 {
		id := fmt.Sprint("e", i)
		s.exec(id, "true")
		s.must("Start", s.target(id))
		s.wait(id)
		s.must("Delete", s.target(id))
		want = append(want, "exec-added:"+id, "exec-started:"+id, "exit:"+id)
	}
	s.expect(want...)
	var pids []int
	for _, item := range processesOf(s.namespace) {
		if pid, _ := strconv.Atoi(strings.Fields(item)[1]); strings.Contains(item, "containerd-shim-dhow-v2") {
			pids = append(pids, pid)
		}
	}
	if len(pids) != 1 {
		t.Fatalf("shims %v", pids)
	}
	if n := len(dirNames(t, fmt.Sprintf("/proc/%d/fd", pids[0]))); n > 16 {
		t.Errorf("the shim has %d descriptors after 30 execs", n)
	}
}

func dirNames(t *testing.T, path string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(path)
	must(t, err)
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// TestShimFailedExec has an exec that cannot be: who waits for it is told at once.
func TestShimFailedExec(t *testing.T) {
	s := newShimDirect(t, sleeps)
	s.create("")
	s.must("Start", s.target(""))
	s.exec("e", "no-such-program")
	if err := s.call("Start", s.target("e"), nil); err == nil || !strings.Contains(err.Error(), "executable file not found") {
		t.Errorf("got %v", err)
	}
	if got := s.wait("e"); got != 0 {
		t.Errorf("status %d", got)
	}
	s.must("Delete", s.target("e"))
	s.must("Kill", s.kill("", unix.SIGKILL))
	s.wait("")
	s.expect("create", "start", "exec-added:e", "exit=137")
}

// TestShimSharedPIDs has a container in the host's pid namespace, whose processes outlive its init: they are killed
// before its end is told, and orphans are reaped.
func TestShimSharedPIDs(t *testing.T) {
	s := newShimDirect(t, func(b *Bundle) {
		b.Spec.Process.Args = []string{"sh", "-c", "sleep 2000 & (sleep 0.1 & exit) ; exit 4"}
		b.Spec.Linux.Namespaces = slices.DeleteFunc(b.Spec.Linux.Namespaces, func(n specs.LinuxNamespace) bool { return n.Type == specs.PIDNamespace })
	})
	s.create("")
	s.must("Start", s.target(""))
	if got := s.wait(""); got != 4 {
		t.Errorf("exit status %d", got)
	}
	await(t, "the others to die", func() bool { return len(cgroupProcesses(s.namespace)) == 0 })
	s.must("Delete", s.target(""))
	s.expect("create", "start", "exit=4", "delete")
}

// cgroupProcesses are those in the container's groups.
func cgroupProcesses(mark string) (found []string) {
	for _, item := range processesOf(mark + "/c1") {
		if !strings.Contains(item, "containerd-shim") {
			found = append(found, item)
		}
	}
	return found
}

// TestShimOOM has the kernel kill for want of memory: that is told before the end.
func TestShimOOM(t *testing.T) {
	limit := int64(16 << 20)
	s := newShimDirect(t, func(b *Bundle) {
		b.Spec.Process.Args = []string{"sh", "-c", "x=$(head -c 64000000 /dev/zero | tr '\\0' x)"}
		b.Spec.Linux.Resources.Memory = &specs.LinuxMemory{Limit: &limit}
	})
	s.create("")
	s.must("Start", s.target(""))
	s.wait("")
	events := s.events.all()
	await(t, "the exit", func() bool { events = s.events.all(); return len(events) >= 4 })
	if events[2] != "oom" || !strings.HasPrefix(events[len(events)-1], "exit") {
		t.Errorf("events %q", events)
	}
}

// TestShimLogs has output go into a file and to a logging program.
func TestShimLogs(t *testing.T) {
	for _, scheme := range []string{"file", "binary"} {
		t.Run(scheme, func(t *testing.T) {
			s := newShimDirect(t, func(b *Bundle) {
				b.Spec.Process.Args = []string{"sh", "-c", "seq 20000; echo problem >&2"}
			})
			path := filepath.Join(s.bundle.Dir, "log.txt")
			uri := "file://" + path
			if scheme == "binary" {
				logger := filepath.Join(s.bundle.Dir, "logger")
				must(t, os.WriteFile(logger, []byte("#!/bin/sh\nexec 5>&-\ncat <&4 >"+path+".err &\n{ echo $CONTAINER_ID $CONTAINER_NAMESPACE $1 $2; cat <&3; } >"+path+"\nwait\n"), 0o755))
				uri = "binary://" + logger + "?key=value"
			}
			s.create(uri)
			s.must("Start", s.target(""))
			s.wait("")
			s.must("Delete", s.target(""))
			if scheme == "file" {
				if text := readFile(t, path); strings.Count(text, "\n") != 20000 || !strings.HasSuffix(text, "problem") && !strings.Contains(text, "problem\n") {
					t.Errorf("%d lines", strings.Count(text, "\n"))
				}
				return
			}
			await(t, "the logger", func() bool { b, _ := os.ReadFile(path); return bytes.HasSuffix(b, []byte("\n20000\n")) })
			if text := readFile(t, path); !strings.HasPrefix(text, "c1 "+s.namespace+" key value\n1\n") {
				t.Errorf("got %.60q", text)
			}
			await(t, "stderr", func() bool { b, _ := os.ReadFile(path + ".err"); return string(b) == "problem\n" })
		})
	}
}

// TestShimUpdate changes a limit and reads it back, and asks for what cannot be.
func TestShimUpdate(t *testing.T) {
	s := newShimDirect(t, sleeps)
	s.create("")
	s.must("Start", s.target(""))
	update := func(text string) wire.Func {
		return func(e *wire.Encoder) {
			e.String(1, s.id)
			e.Message(2, &wire.Any{URL: "types.containerd.io/opencontainers/runtime-spec/1/LinuxResources", Value: []byte(text)})
		}
	}
	s.must("Update", update(`{"pids":{"limit":77}}`))
	if left, _ := filepath.Glob("/sys/fs/cgroup/pids/" + s.namespace + "/c1/pids.max"); len(left) != 1 || readFile(t, left[0]) != "77" {
		t.Errorf("the limit is not set: %v", left)
	}
	s.fails("Update", update(`{"pids":`), ttrpc.InvalidArgument)
	s.must("Connect", s.target(""))
	s.must("ResizePty", s.target("")) // no terminal: nothing to do
}

// TestShimOptions refuses what cannot be had, and says it in the words of the caller.
func TestShimOptions(t *testing.T) {
	s := newShimDirect(t, sleeps)
	err := s.call("Create", func(e *wire.Encoder) {
		e.String(1, s.id)
		e.String(2, s.bundle.Dir)
		e.Message(10, wire.Pack("containerd.runc.v1.Options", wire.Func(func(e *wire.Encoder) { e.String(6, "no-runc") })))
	}, nil)
	if err == nil || !strings.Contains(err.Error(), `"no-runc"`) {
		t.Errorf("got %v", err)
	}
	s.expect()
}

// TestShimInfo asks for what the runtime is, and for the version.
func TestShimInfo(t *testing.T) {
	onlyDhow(t, "the shim is ours")
	t.Parallel()
	shim := filepath.Join(filepath.Dir(underTest.runtime), "containerd-shim-dhow-v2")
	out, err := exec.Command(shim, "-info").Output()
	must(t, err)
	name := ""
	var offered features.Features
	must(t, wire.Fields(out, func(n int, v wire.Value) error {
		switch n {
		case 1:
			name = v.String()
		case 4:
			var a wire.Any
			must(t, wire.Unmarshal(v.Bytes, &a))
			return json.Unmarshal(a.Value, &offered)
		}
		return nil
	}))
	if l := offered.Linux; l == nil || l.MountExtensions == nil || !*l.MountExtensions.IDMap.Enabled || !slices.Contains(offered.MountOptions, "rro") {
		t.Errorf("features %+v", offered)
	}
	if name != ShimRuntime {
		t.Errorf("name %q", name)
	}
	if out, err := exec.Command(shim, "-v").Output(); err != nil || !strings.HasPrefix(string(out), "containerd-shim-dhow-v2 ") {
		t.Errorf("%q %v", out, err)
	}
	for _, args := range [][]string{{"start"}, {"-namespace", "n", "start"}, {"-namespace", "n", "-id", "i", "dance"}, {"-what"}} {
		if out, err := exec.Command(shim, args...).CombinedOutput(); err == nil {
			t.Errorf("%v: %q", args, out)
		}
	}
}
