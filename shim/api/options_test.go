package api_test

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/dhow-containers/dhow/shim/api"
	"github.com/dhow-containers/dhow/shim/wire"
)

var all = api.Options{NoPivotRoot: true, NoNewKeyring: true, ShimCgroup: "/c", IoUID: 3, IoGID: 4, BinaryName: "b", Root: "/r",
	SystemdCgroup: true, CriuPath: "/p", CriuImagePath: "/i", CriuWorkPath: "/w"}

func TestOptions(t *testing.T) {
	for _, prefix := range []string{"", "type.googleapis.com/"} {
		got, err := api.DecodeOptions(wire.Pack(prefix+"containerd.runc.v1.Options", &all))
		if err != nil || !reflect.DeepEqual(*got, all) {
			t.Errorf("got %+v, %v", got, err)
		}
	}
	if got, err := api.DecodeOptions(nil); err != nil || !reflect.DeepEqual(*got, api.Options{}) {
		t.Errorf("none: got %+v, %v", got, err)
	}
}

func TestOptionsRefused(t *testing.T) {
	unknown := wire.Func(func(e *wire.Encoder) { e.Bool(77, true) })
	for _, a := range []*wire.Any{
		{URL: "containerd.runhcs.v1.Options"},
		wire.Pack("containerd.runc.v1.Options", unknown),
		{URL: "containerd.runc.v1.Options", Value: []byte("\x0a")},
		cri("Unknown = 1"), cri("SystemdCgroup = maybe"), cri("[table]"), cri(`Root = "`),
	} {
		if got, err := api.DecodeOptions(a); err == nil {
			t.Errorf("%s %q: got %+v", a.URL, a.Value, got)
		}
	}
}

// cri is the options table of a runtime in config.toml, as CRI sends it.
func cri(lines ...string) *wire.Any {
	return wire.Pack("runtimeoptions.v1.Options", wire.Func(func(e *wire.Encoder) {
		e.String(1, "containerd.runc.v1.Options")
		e.String(3, strings.Join(lines, "\n"))
	}))
}

func TestOptionsOfCRI(t *testing.T) {
	got, err := api.DecodeOptions(cri("# comment", "", "NoPivotRoot = true", "NoNewKeyring=true", `ShimCgroup = "/c"`, "IoUid = 3", "IoGid = 4",
		`BinaryName = "b"`, "Root = '/r'", "SystemdCgroup = true", `CriuImagePath = "/i"`, `CriuWorkPath = "/w"`, `CriuPath = "/p"`))
	if err != nil || !reflect.DeepEqual(*got, all) {
		t.Errorf("got %+v, %v", got, err)
	}
	path := filepath.Join(t.TempDir(), "options.toml")
	if err := os.WriteFile(path, []byte("SystemdCgroup = true\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	file := wire.Pack("runtimeoptions.v1.Options", wire.Func(func(e *wire.Encoder) { e.String(2, path) }))
	if got, err := api.DecodeOptions(file); err != nil || !got.SystemdCgroup {
		t.Errorf("of a file: got %+v, %v", got, err)
	}
}

func TestCreateRequest(t *testing.T) {
	data := wire.Marshal(wire.Func(func(e *wire.Encoder) {
		e.String(1, "id")
		e.String(2, "/b")
		e.Message(3, &api.Mount{Type: "overlay", Source: "o", Target: "t", Options: []string{"lowerdir=/a", "ro"}})
		e.Message(3, &api.Mount{Type: "bind"})
		e.Bool(4, true)
		e.String(5, "in")
		e.String(6, "out")
		e.String(7, "err")
		e.String(8, "cp")
		e.Message(10, wire.Pack("t", nil))
	}))
	var r api.CreateRequest
	if err := wire.Unmarshal(data, &r); err != nil {
		t.Fatal(err)
	}
	if r.ID != "id" || r.Bundle != "/b" || len(r.Rootfs) != 2 || r.Rootfs[0].Options[1] != "ro" || r.Rootfs[0].Target != "t" ||
		r.Stdio != (api.Stdio{Terminal: true, Stdin: "in", Stdout: "out", Stderr: "err"}) || r.Checkpoint != "cp" || r.Options.URL != "t" {
		t.Errorf("got %+v", r)
	}
}

func FuzzRequests(f *testing.F) {
	f.Add([]byte("\x0a\x01a\x1a\x02\x0a\x00"))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, r := range []wire.Receiver{&api.CreateRequest{}, &api.ExecRequest{}, &api.KillRequest{}, &api.UpdateRequest{}, &api.ResizeRequest{}, &api.Options{}} {
			wire.Unmarshal(data, r)
		}
		api.DecodeOptions(&wire.Any{URL: "runtimeoptions.v1.Options", Value: data})
	})
}

func TestCheckpointOptions(t *testing.T) {
	packed := func(number int) *wire.Any {
		return wire.Pack("containerd.runc.v1.CheckpointOptions", wire.Func(func(e *wire.Encoder) {
			for _, n := range []int{1, 2, 3, 4, 5} {
				e.Bool(n, true)
			}
			e.Strings(6, []string{"network"})
			for i, s := range []string{"soft", "/i", "/w"} {
				e.String(7+i, s)
			}
			e.String(number, "p")
		}))
	}
	want := api.CheckpointOptions{Exit: true, OpenTCP: true, ExternalUnixSockets: true, Terminal: true, FileLocks: true, EmptyNamespaces: []string{"network"},
		CgroupsMode: "soft", ImagePath: "/i", WorkPath: "/w", ParentPath: "p"}
	if got, err := api.DecodeCheckpointOptions(packed(10)); err != nil || !reflect.DeepEqual(*got, want) {
		t.Errorf("got %+v, %v", got, err)
	}
	if got, err := api.DecodeCheckpointOptions(&wire.Any{}); err != nil || !reflect.DeepEqual(*got, api.CheckpointOptions{}) {
		t.Errorf("none: got %+v, %v", got, err)
	}
	for _, a := range []*wire.Any{packed(11), {URL: "containerd.runc.v1.Options"}} {
		if got, err := api.DecodeCheckpointOptions(a); err == nil {
			t.Errorf("%s: got %+v", a.URL, got)
		}
	}
}
