package boot

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/dhow-containers/dhow/shim/api"
	"github.com/dhow-containers/dhow/shim/socket"
	"github.com/dhow-containers/dhow/shim/wire"
)

func anyOptions(root string) *wire.Any {
	return wire.Pack("containerd.runc.v1.Options", &api.Options{Root: root})
}

func params(id, namespace string) []byte {
	return wire.Marshal(wire.Func(func(e *wire.Encoder) {
		e.String(1, id)
		e.String(2, namespace)
		e.Int(3, -4)
		e.String(5, "/t.sock")
		e.String(6, "/g.sock")
		e.Message(8, wire.Func(func(e *wire.Encoder) { e.Message(1, wire.Pack("other.Type", nil)) }))
		e.Message(8, wire.Func(func(e *wire.Encoder) { e.Message(1, anyOptions("/r")) }))
		e.String(9, "/sockets")
	}))
}

func TestReadParams(t *testing.T) {
	p := &Params{ID: "c1", Namespace: "ns", Address: "/old", TTRPCAddress: "/old.t"}
	if err := p.read(params("c1", "ns")); err != nil {
		t.Fatal(err)
	}
	if !p.binary || !p.Debug || p.Address != "/g.sock" || p.TTRPCAddress != "/t.sock" || p.SocketDir != "/sockets" {
		t.Errorf("got %+v", p)
	}
	if o, err := api.DecodeOptions(p.Options); err != nil || o.Root != "/r" {
		t.Errorf("got %+v, %v", o, err)
	}
	if got := string(p.result("unix:///s", "2")); got != "\x08\x03\x12\x09unix:///s\x1a\x05ttrpc" {
		t.Errorf("got %q", got)
	}
}

// TestReadOptions has what containerd up to 2.2 sends, whose form is that of BootstrapParams too.
func TestReadOptions(t *testing.T) {
	p := &Params{ID: "c1", Namespace: "ns"}
	if err := p.read(wire.Marshal(anyOptions("/r"))); err != nil || p.binary {
		t.Fatal(p.binary, err)
	}
	if o, err := api.DecodeOptions(p.Options); err != nil || o.Root != "/r" {
		t.Errorf("got %+v, %v", o, err)
	}
	if got := string(p.result("unix:///s", "2")); got != `{"version":2,"address":"unix:///s","protocol":"ttrpc"}` {
		t.Errorf("got %q", got)
	}
	if got := string(p.result("unix:///s", "")); got != "unix:///s" {
		t.Errorf("got %q", got)
	}
}

func TestReadNothing(t *testing.T) {
	p := &Params{ID: "c1", Namespace: "ns"}
	if err := p.read(nil); err != nil || p.binary || p.Options != nil {
		t.Errorf("got %+v, %v", p, err)
	}
	if err := p.read([]byte("\x0a\x7f")); err == nil {
		t.Error("no error for garbage")
	}
}

func TestGroup(t *testing.T) {
	for _, test := range []struct{ config, want string }{
		{`{}`, "id"},
		{`{"ociVersion":"1.0.2","annotations":{"a":"b"},"process":{"args":["x"]}}`, "id"},
		{`{"process":{"annotations":{"io.containerd.runc.v2.group":"no"}}}`, "id"},
		{`{"annotations":{"io.kubernetes.cri.sandbox-id":"pod"}}`, "pod"},
		{`{"annotations":{"io.kubernetes.cri.sandbox-id":"pod","io.containerd.runc.v2.group":"g"}}`, "g"},
		{`{"annotations":null}`, "id"},
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "config.json"), []byte(test.config), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := group(dir, "id"); err != nil || got != test.want {
			t.Errorf("%s: got %q, %v", test.config, got, err)
		}
	}
	if got, err := group(t.TempDir(), "id"); err != nil || got != "id" {
		t.Errorf("no config: got %q, %v", got, err)
	}
}

func TestSocketPath(t *testing.T) {
	p := &Params{ID: strings.Repeat("x", 300), Namespace: "ns", Address: "/run/containerd/containerd.sock"}
	path := p.socketPath(p.ID)
	if len(path) > 100 || !strings.HasPrefix(path, "/run/containerd/s/") {
		t.Errorf("got %s", path)
	}
	if path == p.socketPath("other") {
		t.Error("two groups have one socket")
	}
}

func TestListen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "dir", "s")
	fd, err := Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Listen(path); err != socket.ErrServed {
		t.Errorf("somebody listens: got %v", err)
	}
	os.NewFile(uintptr(fd), "").Close()
	fd, err = Listen(path) // what is left of a killed one
	if err != nil {
		t.Fatal(err)
	}
	defer os.NewFile(uintptr(fd), "").Close()
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if dir, err := os.Stat(filepath.Dir(path)); err != nil || dir.Mode().Perm() != 0o700 {
		t.Errorf("mode of the directory %v, %v", dir.Mode(), err)
	}
}

func FuzzRead(f *testing.F) {
	f.Add(params("c1", "ns"))
	f.Add(wire.Marshal(anyOptions("/r")))
	f.Fuzz(func(t *testing.T, input []byte) {
		p := &Params{ID: "c1", Namespace: "ns"}
		if p.read(input) == nil {
			api.DecodeOptions(p.Options)
		}
	})
}

// The server's heap is not made of huge pages, whatever else is said of Go's runtime.
func TestEnvironment(t *testing.T) {
	p := &Params{TTRPCAddress: "/t.sock"}
	for old, want := range map[string]string{"": "disablethp=1", "gctrace=1": "gctrace=1,disablethp=1"} {
		t.Setenv("GODEBUG", old)
		t.Setenv("TTRPC_ADDRESS", "/old.sock")
		env := p.environment()
		seen := 0
		for _, v := range env {
			if strings.HasPrefix(v, "GODEBUG=") || strings.HasPrefix(v, "TTRPC_ADDRESS=") {
				seen++
			}
		}
		if seen != 2 || !slices.Contains(env, "GODEBUG="+want) || !slices.Contains(env, "TTRPC_ADDRESS=/t.sock") {
			t.Errorf("%q: %q", old, env)
		}
	}
}
