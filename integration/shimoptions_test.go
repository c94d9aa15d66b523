package integration

import (
	"encoding/json"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go/features"

	"github.com/dhow-containers/dhow/shim/wire"
)

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
