package integration

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/dhow-containers/dhow/shim/api"
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
	startup   startup
}

// startup is what containerd gives a shim when it starts it, beyond the names.
type startup struct {
	options   *api.Options
	publish   string // -publish-binary; "" has events go to the socket in TTRPC_ADDRESS
	id        string // of the container; "" is c1
	namespace string // "" is one of its own
	address   string // -address; "" is that of the socket for events
}

// newShimDirect starts a shim for a new bundle.
func newShimDirect(t *testing.T, edits ...Edit) *shimDirect {
	t.Helper()
	return newShimDirectWith(t, startup{}, edits...)
}

func newShimDirectWith(t *testing.T, with startup, edits ...Edit) *shimDirect {
	t.Helper()
	onlyDhow(t, "the shim is ours")
	if with.namespace == "" { // or else the test is parallel already
		t.Parallel()
	}
	if with.id == "" {
		with.id = "c1"
	}
	s := &shimDirect{t: t, id: with.id, startup: with, bundle: newBundle(t, edits...)}
	if s.namespace = with.namespace; s.namespace == "" {
		s.namespace = newID()
	}
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
	out, err := s.shimCommand(action).CombinedOutput()
	if err != nil {
		s.t.Fatalf("%s: %v: %s", action, err, out)
	}
	return string(out)
}

func (s *shimDirect) shimCommand(action string) *exec.Cmd {
	s.t.Helper()
	address, publish := s.startup.address, "/nonexistent"
	if address == "" {
		address = s.events.address()
	}
	if s.startup.publish != "" {
		publish = s.startup.publish
	}
	cmd := exec.Command(filepath.Join(filepath.Dir(underTest.runtime), "containerd-shim-dhow-v2"), "-namespace", s.namespace,
		"-address", address, "-publish-binary", publish, "-id", s.id, "-bundle", s.bundle.Dir, action)
	cmd.Dir = s.bundle.Dir
	cmd.Env = os.Environ()
	if s.startup.publish == "" {
		cmd.Env = append(cmd.Env, "TTRPC_ADDRESS="+s.events.address())
	}
	if o := s.startup.options; o != nil {
		cmd.Stdin = bytes.NewReader(wire.Marshal(packOptions(o)))
	}
	return cmd
}

func packOptions(o *api.Options) *wire.Any { return wire.Pack("containerd.runc.v1.Options", o) }

// end checks that `delete` removes whatever the test has left, also twice.
func (s *shimDirect) end() {
	s.t.Helper()
	for _, item := range processesOf(s.namespace) {
		pid, _ := strconv.Atoi(strings.Fields(item)[1])
		if strings.Contains(item, "containerd-shim-dhow-v2") {
			unix.Kill(pid, unix.SIGKILL)
			await(s.t, "the shim's end", func() bool { return ended(pid) })
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
		if o := s.startup.options; o != nil {
			e.Message(10, packOptions(o))
		}
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

func sleeps(b *Bundle) { b.Spec.Process.Args = []string{"sleep", "1000"} }
